namespace EfPooling.Analyzers.Flow;

/// <summary>How code that is passed on runs.</summary>
internal enum DeferredKind
{
    /// <summary>Several times at once, or whenever it likes: Parallel, PLINQ, timers, async void.</summary>
    Repeated,

    /// <summary>Once, beside the caller, who does not wait: threads, the thread pool, <c>CancellationToken.Register</c>.</summary>
    Once,

    /// <summary>Once, beside the caller, who may wait for its task: <c>Task.Run</c>.</summary>
    Task,

    /// <summary>Once, beside its siblings, while the caller waits: <c>Parallel.Invoke</c>.</summary>
    Sibling,
}
