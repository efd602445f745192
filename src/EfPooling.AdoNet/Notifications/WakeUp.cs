namespace EfPooling.AdoNet;

/// <summary>
/// Signals a waiter that there is work. Several calls before the wait count as one. The waiter resets it, then looks for work,
/// and so sees every change made before a call that the reset has swallowed.
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
