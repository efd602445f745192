using EfPooling.Benchmarks.Load.Apis;
using EfPooling.Benchmarks.Load.Peers;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>A session of each peer, kept open for a whole scenario so that every round but the first finds it warm.</summary>
internal sealed class PeerSessions : IAsyncDisposable
{
    private readonly Dictionary<Peer, PeerSession> _sessions;
    private readonly Dictionary<(Peer, string), IDataApi> _apis = [];

    public PeerSessions(IEnumerable<Peer> peers, Endpoints endpoints, PoolShape shape)
        => _sessions = peers.ToDictionary(peer => peer, peer => peer.Open(endpoints, shape));

    public IDataApi GetApi(Peer peer, string api)
    {
        if (!_apis.TryGetValue((peer, api), out var found))
        {
            _apis.Add((peer, api), found = ApiNames.Create(api, _sessions[peer]));
        }

        return found;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var session in _sessions.Values)
        {
            await session.DisposeAsync();
        }
    }
}
