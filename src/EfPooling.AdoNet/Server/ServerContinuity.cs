using System.Data;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Whether an <see cref="NpgsqlConnection"/> has been open all the time, so that its database, login and backend are the same as
/// when the pool opened it. The holder of a session lease can close it, change its connection string and open it again.
/// </summary>
internal sealed class ServerContinuity
{
    private volatile bool _wasClosed; // set by any thread, never reset
    private volatile bool _hasBroken; // set by any thread, never reset
    private volatile IServerHolder? _holder; // written by the holder of the lease

    /// <param name="connection">Open, and not shared with other callers yet.</param>
    public ServerContinuity(NpgsqlConnection connection)
        => connection.StateChange += (_, change) => OnStateChange(change.CurrentState, NpgsqlInternals.GetFullState(connection));

    /// <summary>Whether it was closed or broke at some time; it may be open again.</summary>
    public bool WasClosed => _wasClosed;

    /// <summary>
    /// The opening of a logical connection that is bound to it. It is notified at once when the connection breaks, for example by
    /// keepalive.
    /// </summary>
    public IServerHolder? Holder
    {
        get => _holder;
        set => _holder = value;
    }

    /// <summary>Whether it broke without being closed.</summary>
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
