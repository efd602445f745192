using EfPooling.Benchmarks.Load.Peers;
using Npgsql;

namespace EfPooling.Benchmarks.Load.Relay;

/// <summary>The servers as seen from far away: PostgreSQL behind a relay and PgBouncer, which runs beside PostgreSQL, behind another.</summary>
internal sealed class FarEndpoints : IAsyncDisposable
{
    private readonly List<RelayProcess> _relays = [];

    private FarEndpoints(Endpoints near) => Endpoints = near;

    /// <summary>Where to connect to instead.</summary>
    public Endpoints Endpoints { get; private set; }

    public static async Task<FarEndpoints> OpenAsync(Endpoints near, TimeSpan roundTrip)
    {
        var far = new FarEndpoints(near);
        try
        {
            var keywords = new NpgsqlConnectionStringBuilder(near.ConnectionString);
            keywords.Port = await far.RelayToAsync(keywords.Host!, keywords.Port, roundTrip);
            keywords.Host = "127.0.0.1";
            var bouncer = near.Bouncer is null ? null : near.Bouncer with { Port = await far.RelayToAsync("127.0.0.1", near.Bouncer.Port, roundTrip) };
            far.Endpoints = new Endpoints(keywords.ConnectionString, bouncer);
            return far;
        }
        catch
        {
            await far.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var relay in _relays)
        {
            await relay.DisposeAsync();
        }
    }

    private async Task<int> RelayToAsync(string host, int port, TimeSpan roundTrip)
    {
        var relay = await RelayProcess.StartAsync(host, port, roundTrip);
        _relays.Add(relay);
        return relay.Port;
    }
}
