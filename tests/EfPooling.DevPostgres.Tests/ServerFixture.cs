namespace EfPooling.Dev.Tests;

/// <summary>One local server for all tests that leave it running.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    public DevPostgresServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await LocalStart.AnyAsync();

    public async ValueTask DisposeAsync() => await Server.DisposeAsync();
}
