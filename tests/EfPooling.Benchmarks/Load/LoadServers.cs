using EfPooling.Benchmarks.Load.Bouncer;
using EfPooling.Benchmarks.Load.Data;
using EfPooling.Benchmarks.Load.Measuring;
using EfPooling.Benchmarks.Load.Peers;
using EfPooling.Benchmarks.Load.Scenarios;
using EfPooling.Dev;

namespace EfPooling.Benchmarks.Load;

/// <summary>The servers of a run: PostgreSQL with the data, and PgBouncer in front of it if there is one.</summary>
internal sealed class LoadServers : IAsyncDisposable
{
    /// <summary>Connections that the server accepts.</summary>
    public const int MaxConnections = 500;

    /// <summary>Connections that one peer may open in <c>idle</c>: some are the superuser's, PgBouncer's and ours.</summary>
    public const int BackendLimit = MaxConnections - 50;

    private readonly DevPostgresServer _server;
    private readonly BouncerProcess? _bouncer;

    private LoadServers(DevPostgresServer server, BouncerProcess? bouncer, Endpoints endpoints, BackendSampler sampler, MachineInfo machine)
    {
        _server = server;
        _bouncer = bouncer;
        Endpoints = endpoints;
        Sampler = sampler;
        Machine = machine;
    }

    public Endpoints Endpoints { get; }

    public BackendSampler Sampler { get; }

    public MachineInfo Machine { get; }

    public static async Task<LoadServers> StartAsync()
    {
        var options = new DevPostgresOptions { MaxConnections = MaxConnections };
        options.Settings["autovacuum"] = "off"; // Slices that write are tidied before each of them instead.
        var server = await DevPostgres.StartAsync(options);
        BouncerProcess? bouncer = null;
        try
        {
            var connectionString = await server.CreateDatabaseAsync();
            await BenchData.CreateAsync(connectionString);
            bouncer = await BouncerProcess.TryStartAsync(connectionString, [.. ScaleScenario.Sizes, SteadyScenario.ServerConnections]);
            var machine = await MachineInfo.ReadAsync(connectionString, bouncer?.Endpoint.Version);
            var sampler = await BackendSampler.OpenAsync(connectionString);
            return new LoadServers(server, bouncer, new Endpoints(connectionString, bouncer?.Endpoint), sampler, machine);
        }
        catch
        {
            await DisposeAsync(bouncer, server);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Sampler.DisposeAsync();
        await DisposeAsync(_bouncer, _server);
    }

    private static async ValueTask DisposeAsync(BouncerProcess? bouncer, DevPostgresServer server)
    {
        if (bouncer is not null)
        {
            await bouncer.DisposeAsync();
        }

        await server.DisposeAsync();
    }
}
