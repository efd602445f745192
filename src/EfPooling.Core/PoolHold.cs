namespace EfPooling.Core;

/// <summary>
/// A state that holds callers back, and the calls that wait until what ran before has ended. Made and ended under the gate; its
/// continuations run elsewhere.
/// </summary>
internal sealed class PoolHold
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Ends when nothing that began before is left. Cancelled if the state was ended before that; fails if the pool was closed.
    /// </summary>
    public Task Reached => _reached.Task;

    /// <summary>Guarded by the gate: how many calls wait for it.</summary>
    public int Calls { get; set; }

    public bool IsReached => _reached.Task.IsCompletedSuccessfully;

    public void Reach() => _reached.TrySetResult();

    public void End() => _reached.TrySetCanceled();

    public void Fail(Exception error)
    {
        if (_reached.TrySetException(error))
        {
            _ = _reached.Task.Exception; // Observed here, because it may be that nobody waits any more.
        }
    }
}
