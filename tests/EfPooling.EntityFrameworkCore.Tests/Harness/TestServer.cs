using EfPooling.Dev;

namespace EfPooling.EntityFrameworkCore.Tests.Harness;

/// <summary>The one PostgreSQL server of a test run. It goes away with the process.</summary>
internal static class TestServer
{
    private static readonly Lazy<Task<DevPostgresServer>> Server =
        new(() => DevPostgres.StartAsync(new DevPostgresOptions { MaxConnections = 600 }));

    public static Task<DevPostgresServer> GetAsync() => Server.Value;
}
