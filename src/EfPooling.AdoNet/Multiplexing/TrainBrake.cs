using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Asks the server to stop a train. A cancel request is I/O on a connection of its own and may take as long as the network likes, so whoever
/// pulls the brake does not wait; the train does, before it gives its server connection back, because a late request would hit the next owner.
/// </summary>
/// <param name="batch">What the train runs.</param>
/// <param name="server">On which it runs.</param>
/// <param name="time">The pool's.</param>
internal sealed class TrainBrake(NpgsqlBatch batch, ServerConnection server, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Task? _request; // guarded by _gate: the latest
    private bool _isReleased; // guarded by _gate

    /// <summary>Begins a request, unless one is under way or the train has arrived. Never waits, never throws.</summary>
    public void Pull()
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

    /// <summary>No request begins from here on, and none is under way when the task ends; else the server connection is to be closed.</summary>
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
            server.Mark(Taint.OutOfStep); // Its backend ends, and with it whom the request could hit.
        }
    }
}
