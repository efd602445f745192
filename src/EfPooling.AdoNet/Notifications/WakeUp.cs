namespace EfPooling.AdoNet;

/// <summary>
/// Tells the one who waits that there is something to look at. Calls before the wait count once. The waiter resets it, then looks: what
/// was changed before a call that the reset swallowed is seen by that look.
/// </summary>
internal sealed class WakeUp
{
    private TaskCompletionSource _next = New(); // Volatile only; replaced by the waiter

    public Task Called => Volatile.Read(ref _next).Task;

    public void Call() => Volatile.Read(ref _next).TrySetResult();

    public void Reset()
    {
        if (Called.IsCompleted)
        {
            Interlocked.Exchange(ref _next, New()); // A full fence: the look comes after it.
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
