namespace EfPooling.AdoNet;

/// <summary>
/// Runs one blocking call on a thread of its own. Opens, and checks for synchronous callers, must not need the thread pool: synchronous callers may be blocking all of its
/// threads while they wait for exactly these opens. Opening a server connection takes milliseconds and starts a server process, so the thread's cost does not show.
/// </summary>
internal static class OpenThread
{
    public static Task<T> Run<T>(Func<T> open)
    {
        // Continuations run right here, on this thread, for the same reason.
        var result = new TaskCompletionSource<T>();
        var thread = new Thread(() =>
        {
            try
            {
                result.SetResult(open());
            }
            catch (Exception error)
            {
                result.SetException(error);
            }
        })
        {
            IsBackground = true,
            Name = "EfPooling open",
        };
        thread.UnsafeStart(); // A server connection belongs to nobody's ambient transaction or activity.
        return result.Task;
    }
}
