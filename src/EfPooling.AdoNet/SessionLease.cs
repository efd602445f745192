using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// One PostgreSQL session for as long as this is held, for code that needs one: COPY, LISTEN, large objects, session locks,
/// Npgsql's own API. While it is held, all operations of its logical connection run on it. Disposing it releases the server
/// connection and resets it. If <see cref="Connection"/> was used, the server connection is closed instead, so that every
/// reference kept to it is dead.
/// </summary>
public sealed class SessionLease : IDisposable, IAsyncDisposable
{
    private readonly Lease<ServerConnection> _lease;
    private readonly Func<ValueTask>? _endAsync;
    private readonly Action? _end;
    private bool _isDisposed;

    internal SessionLease(Lease<ServerConnection> lease, string reason, Action? end, Func<ValueTask>? endAsync)
    {
        _lease = lease;
        _end = end;
        _endAsync = endAsync;
        Reason = reason;
        lease.Connection.Mark(Taint.Dirty | Taint.OpenTransaction); // Direct use of the connection is not observed.
        lease.Connection.IsExposed = true;
    }

    /// <summary>Why the session was leased; named in diagnostics.</summary>
    public string Reason { get; }

    /// <summary>
    /// The server connection. It is closed when its lease ends (this one, or the lease of the transaction or session in which it
    /// was leased). No other caller ever gets it or its objects: transactions, commands, readers, event handlers. Do not close it
    /// yourself, or open it again.
    /// </summary>
    /// <exception cref="LeaseEndedException">The session, or the transaction in which it was leased, has ended.</exception>
    public NpgsqlConnection Connection
    {
        get
        {
            if (_isDisposed)
            {
                throw new LeaseEndedException();
            }

            // First, and under the pool's gate, because another thread may be ending the lease. Npgsql uses one transaction
            // object, one reader and so on for the whole life of a connection, so no kind of release would invalidate the objects
            // that the holder has kept.
            _lease.RetireAtEnd(RetireReason.Exposed);
            return _lease.Connection.Npgsql;
        }
    }

    /// <summary>Ends the lease. A session leased inside a transaction leaves the transaction running.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _end?.Invoke();
        }
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return ValueTask.CompletedTask;
        }

        _isDisposed = true;
        return _endAsync?.Invoke() ?? ValueTask.CompletedTask;
    }
}
