namespace EfPooling.Core;

/// <summary>
/// Runs work for all callers without the execution context of the caller that caused it. No flowing transaction enlists a shared
/// server connection, the work joins no caller's trace, and no timer keeps parts of a request alive.
/// </summary>
internal static class CleanContext
{
    private static readonly ExecutionContext Free = Capture();

    public static void Run<TState>(Action<TState> action, TState state)
        => ExecutionContext.Run(Free, static call => ((Call<TState>)call!).Invoke(), new Call<TState>(action, state));

    // Only a thread that inherits nothing is certain to have an empty context.
    private static ExecutionContext Capture()
    {
        ExecutionContext? empty = null;
        var thread = new Thread(() => empty = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return empty!;
    }

    private sealed class Call<TState>(Action<TState> action, TState state)
    {
        public void Invoke() => action(state);
    }
}
