namespace EfPooling.Dev.Sources;

/// <summary>The ways to get a server, best first.</summary>
internal static class ServerSources
{
    public static IReadOnlyList<IServerSource> Default() =>
    [
        new ConnectionStringSource(Environment.GetEnvironmentVariable),
        new InstalledBinariesSource(InstalledDirectories.All()),
        new TestcontainersSource(),
        new NpmPackageSource(PackageCache.DefaultDirectory(), PathLookup.Find("npm")),
    ];
}
