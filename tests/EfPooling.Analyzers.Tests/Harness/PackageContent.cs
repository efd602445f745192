using System.IO.Compression;

namespace EfPooling.Analyzers.Tests;

/// <summary>What is in a package: the names of its files, sorted, its description of itself (the nuspec), README and icon.</summary>
internal sealed record PackageContent(IReadOnlyList<string> Files, string Description, string Readme, byte[] Icon)
{
    public static PackageContent Read(string folder, string name)
    {
        using var package = ZipFile.OpenRead(Path.Combine(folder, $"{name}.{Packages.Version}.nupkg"));
        return new PackageContent(
            [.. package.Entries.Select(entry => entry.FullName).Order(StringComparer.Ordinal)],
            ReadText(package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal))),
            ReadText(package.GetEntry("README.md")!),
            ReadBytes(package.GetEntry("icon.png")!));
    }

    private static string ReadText(ZipArchiveEntry entry)
    {
        using var reader = new StreamReader(entry.Open());
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static byte[] ReadBytes(ZipArchiveEntry entry)
    {
        using var bytes = new MemoryStream();
        using var content = entry.Open();
        content.CopyTo(bytes);
        return bytes.ToArray();
    }
}
