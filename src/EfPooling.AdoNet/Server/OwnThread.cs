namespace EfPooling.AdoNet;

/// <summary>
/// Runs one blocking call on a thread of its own. Opens, closes, and checks for synchronous callers must not need the thread
/// pool: synchronous callers may block all of its threads while they wait for exactly these. A server connection costs
/// milliseconds and a server process, so the thread's cost is negligible.
/// </summary>
internal static class OwnThread
{
    public static Task<T> Run<T>(Func<T> call)
    {
        // Continuations run on this thread, for the same reason.
        var result = new TaskCompletionSource<T>();
        var thread = new Thread(() =>
        {
            try
            {
                result.SetResult(call());
            }
            catch (Exception error)
            {
                result.SetException(error);
            }
        })
        {
            IsBackground = true,
            Name = "EfPooling connection",
        };
        thread.UnsafeStart(); // A server connection belongs to no caller's ambient transaction or activity.
        return result.Task;
    }

    /// <inheritdoc cref="Run{T}(Func{T})"/>
    public static Task Run(Action call) => Run(() =>
    {
        call();
        return true;
    });
}
