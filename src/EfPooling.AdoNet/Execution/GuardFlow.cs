namespace EfPooling.AdoNet;

/// <summary>
/// What a flow of control is inside of: the critical sections of contexts, the innermost first. Flows on with the execution context.
/// </summary>
internal sealed class GuardFlow(object owner, GuardFlow? parent, ExecutionContext? outside, object? site)
{
    private static readonly AsyncLocal<GuardFlow?> Flow = new();

    public static GuardFlow? Current
    {
        get => Flow.Value;
        set => Flow.Value = value;
    }

    public GuardFlow? Parent => parent;

    /// <summary>Where the application called, captured by sampling; otherwise <c>null</c>.</summary>
    public object? Site => site ?? parent?.Site;

    public bool IsOf(object candidate) => ReferenceEquals(owner, candidate);

    public bool IsInside(object candidate) => IsOf(candidate) || parent?.IsInside(candidate) == true;

    /// <summary>
    /// The execution context that the application called with: entering a critical section makes a new one, so an operation's own context
    /// says nothing about the flow that it belongs to.
    /// </summary>
    public static ExecutionContext? Origin(ExecutionContext? context)
    {
        ExecutionContext? origin = context;
        if (context is not null)
        {
            ExecutionContext.Run(context, _ => origin = Current?.Outermost ?? context, null);
        }

        return origin;
    }

    private ExecutionContext? Outermost => parent is null ? outside : parent.Outermost;
}
