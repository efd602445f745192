using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Symbols;

/// <summary>A call that sends something to the database.</summary>
/// <param name="invocation">The call.</param>
/// <param name="kind">Never <see cref="DbOperationKind.None"/>.</param>
/// <param name="owner">What it is called on: the receiver, or the first argument of an extension method.</param>
/// <param name="returnsTask">Whether it returns a task, so that it may still be running after the call.</param>
internal readonly struct DbOperation(IInvocationOperation invocation, DbOperationKind kind, IOperation? owner, bool returnsTask)
{
    public IInvocationOperation Invocation { get; } = invocation;

    public DbOperationKind Kind { get; } = kind;

    public IOperation? Owner { get; } = owner;

    public bool ReturnsTask { get; } = returnsTask;
}
