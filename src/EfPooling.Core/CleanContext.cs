namespace EfPooling.Core;

/// <summary>
/// Runs what is done for everybody without the execution context of the caller who happened to cause it: no flowing transaction
/// that would enlist a shared server connection, no trace that it would become part of, nothing of a request kept alive by a timer.
/// </summary>
internal static class CleanContext
{
    private static readonly ExecutionContext Free = Capture();

    public static void Run<TState>(Action<TState> action, TState state)
        => ExecutionContext.Run(Free, static call => ((Call<TState>)call!).Invoke(), new Call<TState>(action, state));

    // Only a thread that inherits nothing is sure to have an empty context.
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
