namespace EfPooling.AdoNet;

/// <summary>
/// Lets one task read from a reader at a time, and lets the code that closes it wait for a read that is still under way: two tasks on
/// Npgsql's reader would read each other's bytes, and after the close they are another caller's.
/// </summary>
/// <remarks>Both sides write their own field with a full fence before they read the other's, so they cannot miss each other.</remarks>
internal struct ReaderGate
{
    private int _isReading; // Interlocked only
    private TaskCompletionSource? _readEnded; // published by the closer before it looks at _isReading

    public readonly bool IsReading => Volatile.Read(in _isReading) != 0;

    /// <returns>Whether no other caller is reading.</returns>
    public bool TryEnter() => Interlocked.Exchange(ref _isReading, 1) == 0;

    public void Leave()
    {
        Interlocked.Exchange(ref _isReading, 0);
        Volatile.Read(ref _readEnded)?.TrySetResult();
    }

    /// <returns><c>null</c> if no read is under way, otherwise the end of it. Call it after no further read can begin.</returns>
    public Task? Close()
    {
        if (Interlocked.CompareExchange(ref _isReading, 0, 0) == 0)
        {
            return null;
        }

        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _readEnded, ended);
        return Interlocked.CompareExchange(ref _isReading, 0, 0) == 0 ? null : ended.Task;
    }
}
