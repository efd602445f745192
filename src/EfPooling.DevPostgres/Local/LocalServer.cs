using System.Security.Cryptography;
using EfPooling.Dev.Sources;
using Npgsql;

namespace EfPooling.Dev.Local;

/// <summary>A server that runs from binaries on this machine, with data, port and log of its own.</summary>
internal sealed class LocalServer : IServerControl
{
    private const int PortAttempts = 5;

    private static readonly TimeSpan PatienceAtTheEnd = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _timeProvider;
    private readonly int _port;

    private LocalServer(IServerHost host, int port, string password, TimeProvider timeProvider)
    {
        Host = host;
        _port = port;
        _timeProvider = timeProvider;
        ConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = "postgres",
            Password = password,
            Database = "postgres",
        }.ConnectionString;
    }

    public string ConnectionString { get; }

    public bool CanControl => true;

    internal IServerHost Host { get; }

    public static async Task<SourceAnswer> TryStartAsync(
        ServerBinaries binaries, DevPostgresOptions options, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            return SourceAnswer.Found(
                await StartAsync(PgCtlHost.Create(binaries, options), options, cancellationToken).ConfigureAwait(false));
        }

        var unprivileged = UnprivilegedCommand.Resolve();
        if (unprivileged.Prefix is not { } prefix)
        {
            return SourceAnswer.NotHere(unprivileged.WhyNot!);
        }

        var host = await WatchedHost.CreateAsync(binaries, prefix, options, cancellationToken).ConfigureAwait(false);
        return SourceAnswer.Found(await StartAsync(host, options, cancellationToken).ConfigureAwait(false));
    }

    public Task StopAsync(StopMode mode, CancellationToken cancellationToken) => Host.StopAsync(mode, cancellationToken);

    public Task StartAgainAsync(CancellationToken cancellationToken) => Host.StartAsync(_port, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        using var deadline = new CancellationTokenSource(PatienceAtTheEnd, _timeProvider);
        try
        {
            await Host.StopAsync(StopMode.Fast, deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Disposing the host is the hard way.
        }

        await Host.DisposeAsync().ConfigureAwait(false);
    }

    internal static async Task<LocalServer> StartAsync(
        IServerHost host, DevPostgresOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var password = RandomNumberGenerator.GetHexString(24);
            await host.InitializeAsync(password, cancellationToken).ConfigureAwait(false);
            for (var attempt = 1; ; attempt++)
            {
                var port = FreePort.Choose();
                try
                {
                    await host.StartAsync(port, cancellationToken).ConfigureAwait(false);
                    return new LocalServer(host, port, password, options.TimeProvider);
                }
                catch (ServerStartException e) when (e.PortIsTaken && attempt < PortAttempts)
                {
                    // Another process was faster.
                }
            }
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
