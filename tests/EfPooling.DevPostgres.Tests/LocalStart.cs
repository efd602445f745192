using EfPooling.Dev.Local;
using EfPooling.Dev.Sources;

namespace EfPooling.Dev.Tests;

/// <summary>Starts servers that can be stopped, whatever EFPOOLING_POSTGRES says, and looks behind them.</summary>
internal static class LocalStart
{
    public static Task<DevPostgresServer> AnyAsync(DevPostgresOptions? options = null) =>
        DevPostgres.StartAsync(
            options ?? new DevPostgresOptions(),
            [
                new InstalledBinariesSource(InstalledDirectories.All()),
                new NpmPackageSource(PackageCache.DefaultDirectory(), PathLookup.Find("npm")),
            ],
            CancellationToken.None);

    public static WatchedHost HostOf(DevPostgresServer server) =>
        Assert.IsType<WatchedHost>(Assert.IsType<LocalServer>(server.Control).Host);

    public static string LogOf(DevPostgresServer server) =>
        ServerLog.Tail(Path.Combine(HostOf(server).DirectoryPath, "log"));
}
