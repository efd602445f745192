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

    /// <param name="connection">Open, and nobody else's yet.</param>
    public ServerContinuity(NpgsqlConnection connection)
        => connection.StateChange += (_, change) => _wasClosed |= change.CurrentState != ConnectionState.Open;

    /// <summary>It was closed, or broke, at some time; it may be open again.</summary>
    public bool WasClosed => _wasClosed;
}
