using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>The work that a function does on contexts and connections from outside it.</summary>
internal static class SharedWork
{
    /// <summary>The first work for each root.</summary>
    public static IEnumerable<DbTask> In(IOperation function, FlowBody body)
    {
        var found = new List<DbTask>();
        foreach (var operation in body.Within(function.Syntax))
        {
            if (operation is IInvocationOperation && function.Syntax.Span.Contains(operation.Syntax.Span) && !IsPassedOn(operation, function)
                && body.WorkOf(operation) is { } work && work.Root.IsOutside(function.Syntax) && !found.Exists(other => other.Root.IsSameAs(work.Root)))
            {
                found.Add(work);
            }
        }

        return found;
    }

    // In a lambda that code of the project gets, a queue for example: who knows when it runs.
    private static bool IsPassedOn(IOperation operation, IOperation function)
    {
        for (var parent = operation.Parent; parent is not null && parent != function; parent = parent.Parent)
        {
            if (parent is IAnonymousFunctionOperation { Parent: IDelegateCreationOperation { Parent: IArgumentOperation { Parent: IInvocationOperation call } } }
                && call.TargetMethod.DeclaringSyntaxReferences.Length > 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the function waits its turn somewhere, so that its runs may be one after the other.</summary>
    public static bool IsSerialized(IOperation function, FlowBody body)
        => body.Within(function.Syntax).Any(operation => function.Syntax.Span.Contains(operation.Syntax.Span) && body.Symbols.TakesTurn(operation));
}
