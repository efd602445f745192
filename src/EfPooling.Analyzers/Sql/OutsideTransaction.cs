using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Sql;

/// <summary>
/// Tells whether no transaction is open where a SQL text runs: the member shows it, or it has made the context or connection itself and begun none, or
/// it was given one by the container and nothing in the project that begins a transaction can come here.
/// </summary>
internal static class OutsideTransaction
{
    public static bool IsProven(SqlUse use)
    {
        var symbols = KnownSymbols.Of(use.Compilation);
        if (!use.IsPooled || IsOfBatch(use.Sink.Operation, symbols) || use.Transaction is TransactionState.Inside or TransactionState.Unknown)
        {
            return false;
        }

        return !ProjectTransactions.HasAmbient(use.Compilation, use.Cancellation) && (use.Transaction == TransactionState.Outside || (use.Root.Symbol switch
        {
            ILocalSymbol local => IsMadeHere(local, use, symbols),
            IFieldSymbol { IsStatic: false } or IPropertySymbol { IsStatic: false } or INamedTypeSymbol => !ProjectTransactions.MayReach(use.Compilation, use.Member, use.Cancellation),
            IParameterSymbol { ContainingSymbol: IMethodSymbol { MethodKind: MethodKind.Constructor } } => !ProjectTransactions.MayReach(use.Compilation, use.Member, use.Cancellation),
            _ => false,
        }));
    }

    // The commands of a batch share a transaction.
    private static bool IsOfBatch(IOperation sink, KnownSymbols symbols)
        => sink switch
        {
            IObjectCreationOperation creation => creation.Type.InheritsFrom(symbols.DbBatchCommand),
            ISimpleAssignmentOperation { Target: IPropertyReferenceOperation property } => property.Property.ContainingType.InheritsFrom(symbols.DbBatchCommand),
            _ => false,
        };

    // From a factory or a pool, with new or from a scope; and nobody else has it.
    private static bool IsMadeHere(ILocalSymbol local, SqlUse use, KnownSymbols symbols)
    {
        var operations = MemberOperations.Of(use.Sink.Operation);
        return (use.Origin == ConnectionOrigin.OpenedFromPool || (local.Type.InheritsFrom(symbols.DbContext) && IsNew(operations.InitialValue(local), symbols)))
            && operations.UsesOf(local).All(mention => !IsHandedOver(mention));
    }

    private static bool IsNew(IOperation? value, KnownSymbols symbols)
    {
        while (value is IConversionOperation or IAwaitOperation or IInvocationOperation { TargetMethod.Name: "ConfigureAwait" })
        {
            value = value switch
            {
                IConversionOperation conversion => conversion.Operand,
                IAwaitOperation awaited => awaited.Operation,
                _ => ((IInvocationOperation)value).Instance,
            };
        }

        return value is IObjectCreationOperation
            || (value is IInvocationOperation { TargetMethod: { Name: "CreateDbContext" or "CreateDbContextAsync", ContainingType: var type } } && type.IsOrImplements(symbols.DbContextFactory));
    }

    private static bool IsHandedOver(IOperation mention)
    {
        var value = mention;
        while (value.Parent is IConversionOperation)
        {
            value = value.Parent;
        }

        return value.Parent switch
        {
            IArgumentOperation { Parent: IInvocationOperation call } => call.TargetMethod.DeclaringSyntaxReferences.Length > 0,
            IArgumentOperation { Parent: IObjectCreationOperation creation } => creation.Constructor?.DeclaringSyntaxReferences.Length > 0,
            ISimpleAssignmentOperation assignment => assignment.Value == value && assignment.Target is not IPropertyReferenceOperation { Property.Name: "Connection" },
            IReturnOperation => true,
            _ => false,
        };
    }
}
