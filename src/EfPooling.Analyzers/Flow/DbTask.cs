using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>A call that starts work on a context or connection: a database operation, a method of the project that is given one and returns a task, or a method of
/// the same object that works on the object's own.</summary>
/// <param name="call">The call.</param>
/// <param name="root">Always known.</param>
/// <param name="returnsTask">Whether it may still be running after the call.</param>
internal sealed class DbTask(IInvocationOperation call, Root root, bool returnsTask)
{
    public IInvocationOperation Call { get; } = call;

    public Root Root { get; } = root;

    public bool ReturnsTask { get; } = returnsTask;

    public string Name => Call.TargetMethod.Name;

    /// <summary>Null where the code does not show that a known context or connection is used. See <see cref="FlowBody.WorkOf"/>, which remembers.</summary>
    public static DbTask? Of(IInvocationOperation call, FlowBody body)
        => Direct(call, body) ?? (OwnCalls.RootOf(call, body) is { IsKnown: true } root ? new DbTask(call, root, body.Symbols.Known.IsTask(call.TargetMethod.ReturnType)) : null);

    /// <summary>The same without following calls.</summary>
    public static DbTask? Direct(IInvocationOperation call, FlowBody body)
    {
        if (body.TryGetOperation(call, out var found))
        {
            return body.RootOf(found) is { IsKnown: true } root ? new DbTask(call, root, found.ReturnsTask) : null;
        }

        return IsOfProject(call.TargetMethod) && body.Symbols.Known.IsTask(call.TargetMethod.ReturnType) && Given(call, body) is { IsKnown: true } given
            ? new DbTask(call, given, returnsTask: true)
            : null;
    }

    /// <summary>Cheap to ask: whether the call is of a method of the project that is given a context or connection.</summary>
    public static bool MayBeGivenWork(IInvocationOperation call, KnownSymbols known)
        => call.Arguments.Length > 0 && IsOfProject(call.TargetMethod) && call.Arguments.Any(argument => IsShared(TaskUse.Inner(argument.Value), known));

    private static bool IsOfProject(IMethodSymbol method) => method.DeclaringSyntaxReferences.Length > 0;

    // Work that is given a context or connection is thought to use it.
    private static Root Given(IInvocationOperation call, FlowBody body)
        => call.Arguments
            .Where(argument => argument.Value is { } value && IsShared(TaskUse.Inner(value), body.Symbols.Known))
            .Select(argument => body.RootOf(argument.Value))
            .FirstOrDefault(root => root.IsKnown);

    private static bool IsShared(IOperation value, KnownSymbols known) => value.Type.InheritsFrom(known.DbContext) || known.IsConnection(value.Type);
}
