using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// One PostgreSQL session for as long as this is held, for what really needs one: COPY, LISTEN, large objects, session locks, Npgsql's
/// own API. While it is held, everything its logical connection does runs on it. Dispose it to give the server connection back, reset.
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
        lease.Connection.Mark(Taint.Dirty | Taint.OpenTransaction); // Whatever happens on it happens out of our sight.
        lease.Connection.IsUsedPastUs = true;
    }

    /// <summary>Why the session was leased; named in diagnostics.</summary>
    public string Reason { get; }

    /// <summary>
    /// The server connection. Do not close or dispose it, and do not keep it beyond this lease. Take event handlers (<c>Notification</c>,
    /// <c>Notice</c>) off again: they stay with the server connection and would hear its next owners.
    /// </summary>
    /// <exception cref="LeaseEndedException">The session, or the transaction in which it was leased, has ended.</exception>
    public NpgsqlConnection Connection => _isDisposed ? throw new LeaseEndedException() : _lease.Connection.Npgsql;

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
