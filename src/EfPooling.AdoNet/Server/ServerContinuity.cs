using System.Data;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Whether an <see cref="NpgsqlConnection"/> has been open all the time, so that it is to the same database, of the same login and to the same backend as
/// when the pool opened it. Whoever leases it as a session can close it, give it another connection string and open it again.
/// </summary>
internal sealed class ServerContinuity
{
    private volatile bool _wasClosed; // set by any thread, never reset
    private volatile bool _hasBroken; // set by any thread, never reset
    private volatile IServerHolder? _holder; // written by the holder of the lease

    /// <param name="connection">Open, and no other caller's yet.</param>
    public ServerContinuity(NpgsqlConnection connection)
        => connection.StateChange += (_, change) => OnStateChange(change.CurrentState, NpgsqlInternals.GetFullState(connection));

    /// <summary>It was closed, or broke, at some time; it may be open again.</summary>
    public bool WasClosed => _wasClosed;

    /// <summary>Which opening of a logical connection is bound to it, and is told at once when it breaks, by keepalive for one.</summary>
    public IServerHolder? Holder
    {
        get => _holder;
        set => _holder = value;
    }

    /// <summary>It broke; nobody has closed it.</summary>
    public bool HasBroken => _hasBroken;

    private void OnStateChange(ConnectionState state, ConnectionState fullState)
    {
        if (state == ConnectionState.Open)
        {
            return;
        }

        _wasClosed = true;
        if (fullState.HasFlag(ConnectionState.Broken))
        {
            _hasBroken = true;
            _holder?.OnServerBroken();
        }
    }
}
