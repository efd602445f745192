using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>A local that holds a transaction from its declaration on, and what is done with it.</summary>
/// <param name="begin">The operation that begins the transaction.</param>
/// <param name="local">The local.</param>
/// <param name="body">The code.</param>
internal sealed class TransactionLocal(DbOperation begin, ILocalSymbol local, FlowBody body)
{
    private List<(IOperation Reference, TransactionUse Use)>? _uses;

    public DbOperation Begin { get; } = begin;

    public ILocalSymbol Local { get; } = local;

    /// <summary>All uses in the body.</summary>
    public IReadOnlyList<(IOperation Reference, TransactionUse Use)> Uses
        => _uses ??= [.. MemberOperations.Of(body.Block).UsesOf(Local).Where(IsReference).Select(reference => ((IOperation)reference, UseOf(reference)))];

    /// <summary>Null unless the operation begins a transaction into a local that is never assigned again.</summary>
    public static TransactionLocal? Of(DbOperation operation, FlowBody body)
        => operation.Kind == DbOperationKind.Begin && TaskUse.LocalOfResult(operation.Invocation, operation.ReturnsTask) is { } local
            && (local.IsUsing || !Assignments.MayBeReassigned(local))
            ? new TransactionLocal(operation, local, body)
            : null;

    /// <summary>Whether an operation of a control flow graph ends the transaction, or may hand it to code that does.</summary>
    public bool MayEndAt(IOperation operation)
    {
        if (operation is IInvocationOperation { Instance: { } instance } call && TaskUse.Inner(instance) is ILocalReferenceOperation reference && IsReference(reference))
        {
            return Ends(call.TargetMethod);
        }

        if ((body.TryGetOperation(operation, out var found) && found.Kind is DbOperationKind.Commit or DbOperationKind.Rollback)
            || Captures.MayUse(operation, Local) || HandOvers.MayEnd(operation, body.RootOf(Begin), body))
        {
            return true;
        }

        if (operation is not ILocalReferenceOperation { IsImplicit: false } mention || !IsReference(mention))
        {
            return false;
        }

        var use = Uses.FirstOrDefault(item => item.Reference.Syntax == mention.Syntax);
        return use.Reference is null || use.Use == TransactionUse.Escapes || (use.Use != TransactionUse.Read && mention.Parent is not IInvocationOperation);
    }

    private static bool Ends(IMethodSymbol method) => UseOf(method) is not TransactionUse.Read;

    private static TransactionUse UseOf(IMethodSymbol method) => method.Name switch
    {
        "Commit" or "CommitAsync" => TransactionUse.Commits,
        "Rollback" or "RollbackAsync" when method.Parameters.All(parameter => parameter.Type.SpecialType != SpecialType.System_String) => TransactionUse.RollsBack,
        "Dispose" or "DisposeAsync" => TransactionUse.Disposes,
        _ => HandOvers.IsOfDatabase(method.ContainingType) ? TransactionUse.Read : TransactionUse.Escapes, // An extension member.
    };

    private bool IsReference(ILocalReferenceOperation reference) => !reference.IsDeclaration && SymbolEqualityComparer.Default.Equals(reference.Local, Local);

    private static TransactionUse UseOf(IOperation value)
    {
        while (value.Parent is IConversionOperation or IParenthesizedOperation)
        {
            value = value.Parent;
        }

        return value.Parent switch
        {
            IInvocationOperation call when call.Instance == value => UseOf(call.TargetMethod),
            IConditionalAccessOperation access when access.Operation == value => UseOfAccess(access),
            IMethodReferenceOperation => TransactionUse.Escapes, // The code that gets the delegate may call it.
            IIsPatternOperation test when test.Pattern.DescendantsAndSelf().Any(Declares) => TransactionUse.Escapes,
            IMemberReferenceOperation or IBinaryOperation or IIsPatternOperation or ISimpleAssignmentOperation { Target: IDiscardOperation } => TransactionUse.Read,
            IUsingOperation => TransactionUse.Disposes,
            IArgumentOperation { Parent: IInvocationOperation call } => HandOvers.IsOfDatabase(call.TargetMethod.ContainingType) ? TransactionUse.Read : TransactionUse.Escapes,
            IArgumentOperation { Parent: IObjectCreationOperation creation } => HandOvers.IsOfDatabase(creation.Type) ? TransactionUse.Read : TransactionUse.Escapes,
            ISimpleAssignmentOperation { Target: IPropertyReferenceOperation { Property.Name: "Transaction" } } => TransactionUse.Read,
            _ => TransactionUse.Escapes,
        };
    }

    private static bool Declares(IOperation pattern)
        => pattern is IDeclarationPatternOperation { DeclaredSymbol: not null } or IRecursivePatternOperation { DeclaredSymbol: not null };

    private static TransactionUse UseOfAccess(IConditionalAccessOperation access)
    {
        var first = access.WhenNotNull;
        while (first is IInvocationOperation { Instance: IInvocationOperation inner })
        {
            first = inner;
        }

        return first is IInvocationOperation call ? UseOf(call.TargetMethod) : TransactionUse.Read;
    }
}
