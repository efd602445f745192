using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>A reader in a local, which is open until it is closed, disposed of, or handed to code that may do so.</summary>
internal static class OpenReader
{
    /// <summary>The local that holds the reader which an operation opens, if it is never assigned again.</summary>
    public static ILocalSymbol? Of(DbOperation operation, FlowBody body)
        => operation.Kind == DbOperationKind.Reader && TaskUse.LocalOfResult(operation.Invocation, operation.ReturnsTask) is { } local
            && body.Symbols.IsReader(local.Type) && (local.IsUsing || !Assignments.MayBeReassigned(local))
            ? local
            : null;

    /// <summary>Whether an operation of a control flow graph may close the reader.</summary>
    public static bool MayCloseAt(IOperation operation, ILocalSymbol reader)
    {
        if (Captures.MayUse(operation, reader))
        {
            return true;
        }

        if (operation is not ILocalReferenceOperation { IsDeclaration: false } reference
            || !SymbolEqualityComparer.Default.Equals(reference.Local, reader))
        {
            return false;
        }

        var value = operation;
        while (value.Parent is IConversionOperation)
        {
            value = value.Parent;
        }

        return value.Parent switch
        {
            IInvocationOperation call when call.Instance == value
                => call.TargetMethod.Name is "Close" or "CloseAsync" or "Dispose" or "DisposeAsync" || !HandOvers.IsOfDatabase(call.TargetMethod.ContainingType),
            IPropertyReferenceOperation property when property.Instance == value => false,
            _ => true,
        };
    }
}
