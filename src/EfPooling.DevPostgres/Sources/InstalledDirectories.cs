namespace EfPooling.Dev.Sources;

/// <summary>Where server binaries are usually installed.</summary>
internal static class InstalledDirectories
{
    /// <summary>Existing directories that may hold the binaries: PATH first, then newer versions before older ones.</summary>
    public static IEnumerable<string> All() => OnPath().Concat(WellKnown()).Distinct(StringComparer.Ordinal);

    private static IEnumerable<string> OnPath()
    {
        if (PathLookup.Find("postgres") is not { } postgres)
        {
            yield break;
        }

        // Distributions link single programs into PATH; the others are beside the target.
        var target = File.ResolveLinkTarget(postgres, returnFinalTarget: true)?.FullName ?? postgres;
        yield return Path.GetDirectoryName(target)!;
        yield return Path.GetDirectoryName(postgres)!;
    }

    private static IEnumerable<string> WellKnown()
    {
        if (OperatingSystem.IsWindows())
        {
            var programs = Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles);
            return Below(Path.Combine(programs, "PostgreSQL"), "*");
        }

        return Below("/usr/lib/postgresql", "*") // Debian and its descendants
            .Concat(Below("/opt/homebrew/opt", "postgresql*")) // Homebrew on Apple silicon
            .Concat(Below("/usr/local/opt", "postgresql*")); // Homebrew on Intel
    }

    private static IEnumerable<string> Below(string directory, string pattern) =>
        Directory.Exists(directory)
            ? Directory.EnumerateDirectories(directory, pattern)
                .OrderByDescending(VersionInName)
                .Select(found => Path.Combine(found, "bin"))
                .Where(Directory.Exists)
            : [];

    private static int VersionInName(string directory) =>
        int.TryParse(Path.GetFileName(directory).Split('@')[^1], out var version) ? version : 0;
}
