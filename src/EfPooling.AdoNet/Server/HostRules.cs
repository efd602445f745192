using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The rules of a connection string with several hosts (<c>Target Session Attributes</c>, <c>Load Balance Hosts</c>, <c>Host
/// Recheck Seconds</c>), applied to open connections. Npgsql applies them whenever a logical connection is opened; the pool opens
/// a server connection once and keeps it. Thread-safe.
/// </summary>
/// <remarks>
/// Only a newly opened connection shows which host is the right one. So one connection per recheck interval is retired if another
/// host might be better. If its replacement gets a better host, the other connections follow.
/// </remarks>
internal sealed class HostRules
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1); // between attempts to find a better host

    private readonly NpgsqlMultiHostDataSource? _source;
    private readonly TargetSessionAttributes _target;
    private readonly List<(string Host, int Port)> _hosts;
    private readonly int _defaultPort;
    private readonly bool _balances;
    private readonly bool _hasOrder;
    private readonly TimeSpan _recheck;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly int[] _counts; // guarded by _gate: connections per host
    private int _landed = int.MaxValue; // guarded by _gate: rank of the last opened connection
    private int _moves; // guarded by _gate: how many connections may still be retired before the next recheck only to look for a better host
    private int _movedFrom = -1; // guarded by _gate
    private long _movesRenewed; // guarded by _gate
    private int _doubts; // Interlocked only

    private HostRules(NpgsqlDataSource source, NpgsqlConnectionStringBuilder keywords, TimeProvider time)
    {
        _source = NpgsqlInternals.GetMultiHost(source);
        _target = HostTarget.Of(keywords);
        _defaultPort = keywords.Port;
        _hosts = [.. keywords.Host!.Split(',').Select(host => Parse(host.Trim()))];
        _balances = keywords.LoadBalanceHosts;

        // Only one server is the primary. Of the others, Npgsql takes the first one named.
        _hasOrder = !_balances && !(_target is TargetSessionAttributes.Primary or TargetSessionAttributes.ReadWrite or TargetSessionAttributes.PreferPrimary);
        _recheck = TimeSpan.FromSeconds(keywords.HostRecheckSeconds);
        _time = time;
        _counts = new int[_hosts.Count];
        _moves = MovesPerInterval;
        _movesRenewed = time.GetTimestamp();
    }

    /// <summary>The rules of the data source; <c>null</c> if it has one host, which needs no rules.</summary>
    public static HostRules? For(NpgsqlDataSource source, TimeProvider time)
        => NpgsqlInternals.GetSettings(source) is { Host: { } hosts } keywords && hosts.Contains(',', StringComparison.Ordinal) ? new HostRules(source, keywords, time) : null;

    // With round robin, several opens may be needed until each host has been tried.
    private int MovesPerInterval => _balances ? _hosts.Count : 1;

    /// <summary>A connection was opened.</summary>
    public HostPlace Place(NpgsqlConnection connection) => new(this, _hosts.IndexOf((connection.Host ?? "", connection.Port)));

    /// <summary>Records the server's answer about its state.</summary>
    /// <param name="place">The place of a connection to it.</param>
    /// <param name="isStandby">The server is in recovery.</param>
    /// <param name="isReadOnly">Transactions on it are read-only by default.</param>
    public void Learn(HostPlace place, bool isStandby, bool isReadOnly)
    {
        var fit = HostTarget.Judge(_target, isStandby, isReadOnly);
        bool isNew, othersFollow;
        lock (_gate)
        {
            isNew = place.Fit is null;
            place.Fit = fit;
            othersFollow = isNew && fit != HostFit.Wrong && ArriveLocked(place);
            Count(place, isNew ? 1 : 0);
        }

        if (fit == HostFit.Wrong)
        {
            _source?.ClearDatabaseStates(); // Otherwise Npgsql would choose a host by outdated states.
        }

        if (fit == HostFit.Wrong || othersFollow)
        {
            Doubt();
        }
    }

    /// <summary>A statement failed because its transaction was read-only.</summary>
    public void OnReadOnly()
    {
        if (HostTarget.ExpectsWrites(_target))
        {
            Doubt();
        }
    }

    /// <summary>Whether the server must be asked for its state before the connection is handed out.</summary>
    public bool WantsCheck(HostPlace place)
        => place.Doubts != Volatile.Read(ref _doubts) || _time.GetElapsedTime(place.CheckedAt) >= _recheck;

    /// <summary>A check begins.</summary>
    public void BeginCheck(HostPlace place) => (place.Doubts, place.CheckedAt) = (Volatile.Read(ref _doubts), _time.GetTimestamp());

    /// <summary>
    /// Whether a connection must be closed, because Npgsql would not connect to this host now, or might prefer another one.
    /// </summary>
    public bool WantsAway(HostPlace place)
    {
        lock (_gate)
        {
            if (place.Fit == HostFit.Wrong || Rank(place) > _landed)
            {
                return true;
            }

            if (!MightBeBetterElsewhere(place) || !TryTakeMove())
            {
                return false;
            }

            _movedFrom = place.Index;
            return true;
        }
    }

    /// <summary>The connection of this place is closed.</summary>
    public void Leave(HostPlace place)
    {
        lock (_gate)
        {
            Count(place, place.Fit is null ? 0 : -1);
        }
    }

    // Whether the connection got a better host than the previous one.
    private bool ArriveLocked(HostPlace place)
    {
        var rank = Rank(place);
        var isBetter = rank < _landed && _landed != int.MaxValue;
        _landed = rank;
        _moves = _movedFrom >= 0 && _movedFrom != place.Index ? MovesPerInterval : _moves;
        _movedFrom = -1;
        return isBetter;
    }

    private void Doubt() => Interlocked.Increment(ref _doubts);

    private (string Host, int Port) Parse(string host)
    {
        var end = host.StartsWith('[') ? host.IndexOf("]:", StringComparison.Ordinal) + 1 : host.Count(c => c == ':') == 1 ? host.IndexOf(':', StringComparison.Ordinal) : 0;
        return end > 0 && int.TryParse(host.AsSpan(end + 1), System.Globalization.CultureInfo.InvariantCulture, out var port) ? (host[..end], port) : (host, _defaultPort);
    }

    private void Count(HostPlace place, int change)
    {
        if (place.Index >= 0)
        {
            _counts[place.Index] += change;
        }
    }

    // 0 is best. A host that the connection string does not name never counts as second choice.
    private int Rank(HostPlace place) => (place.Fit == HostFit.Second ? _hosts.Count : 0) + (_hasOrder ? Math.Max(place.Index, 0) : 0);

    private bool MightBeBetterElsewhere(HostPlace place)
        => Rank(place) > 0 || (_balances && !HostTarget.ExpectsWrites(_target) && place.Index >= 0 && _counts[place.Index] - _counts.Min() > 1);

    private bool TryTakeMove()
    {
        if (_time.GetElapsedTime(_movesRenewed) >= (_recheck > ShortestPause ? _recheck : ShortestPause))
        {
            (_moves, _movesRenewed) = (MovesPerInterval, _time.GetTimestamp());
        }

        return _moves-- > 0;
    }
}
