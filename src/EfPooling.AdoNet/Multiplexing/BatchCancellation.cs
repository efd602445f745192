using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Asks the server to stop a batch. A cancel request is I/O on a connection of its own, and its duration is unbounded. So its
/// caller does not wait for it. The batch does, before it releases its server connection, because a late request would hit the
/// next owner.
/// </summary>
/// <param name="batch">The batch that runs on the server.</param>
/// <param name="server">Its server connection.</param>
/// <param name="time">The pool's clock.</param>
internal sealed class BatchCancellation(NpgsqlBatch batch, ServerConnection server, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Task? _request; // guarded by _gate: the latest request
    private bool _isReleased; // guarded by _gate

    /// <summary>Begins a request unless one is under way or the batch has completed. Never waits, never throws.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            if (!_isReleased && _request is not { IsCompleted: false })
            {
                server.Mark(Taint.Suspect);
                _request = Task.Factory.StartNew(batch.Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }
    }

    /// <summary>
    /// No request begins after the call, and none is under way when the task ends. If that cannot be ensured, the server
    /// connection must be closed.
    /// </summary>
    public async Task ReleaseAsync()
    {
        Task? request;
        lock (_gate)
        {
            _isReleased = true;
            request = _request;
        }

        if (request is null)
        {
            return;
        }

        try
        {
            await request.WaitAsync(Patience, time).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            server.Observe(e);
            server.Mark(Taint.Desynchronized); // Its backend ends, and with it every possible target of the request.
        }
    }
}
