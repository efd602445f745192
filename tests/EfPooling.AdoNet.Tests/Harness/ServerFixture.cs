using System.Collections.Concurrent;
using EfPooling.Dev;

namespace EfPooling.AdoNet.Tests;

/// <summary>One server for all tests that leave it running, with one database per test class.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private readonly ConcurrentDictionary<Type, Lazy<Task<string>>> _databases = new();

    public DevPostgresServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await DevPostgres.StartAsync();

    public async ValueTask DisposeAsync() => await Server.DisposeAsync();

    /// <returns>The connection string of the class's own database.</returns>
    public Task<string> DatabaseOfAsync(Type testClass)
        => _databases.GetOrAdd(testClass, _ => new Lazy<Task<string>>(() => Server.CreateDatabaseAsync())).Value;
}
