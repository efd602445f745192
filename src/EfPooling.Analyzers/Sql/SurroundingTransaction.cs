using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Sql;

/// <summary>Tells from the member around a SQL text whether it runs in a transaction. <see cref="TransactionState.Inside"/> and <see cref="TransactionState.Outside"/> are proven.</summary>
internal static class SurroundingTransaction
{
    public static TransactionState Of(SqlUse use)
    {
        var symbols = KnownSymbols.Of(use.Compilation);
        if (GivenTransaction.IsTo(use.Sink.Operation, symbols) || Interceptors.IsTransactionStarted(use.Member, symbols))
        {
            return TransactionState.Inside;
        }

        var place = PlaceOf(use.Sink.Operation);
        var state = TransactionState.NoneHere;
        foreach (var call in MemberOperations.Of(use.Sink.Operation).Transactions)
        {
            var next = Step(state, call, place, use.Root, symbols);
            state = next ?? state;
        }

        return state;
    }

    // What a call makes of the state, in the order of the source; null: nothing.
    private static TransactionState? Step(TransactionState state, IOperation call, IOperation place, Root root, KnownSymbols symbols)
    {
        var isBefore = call.Syntax.SpanStart < place.Syntax.SpanStart;
        if (call is IObjectCreationOperation)
        {
            return isBefore ? (Covers(call, place) && IsContext(root, symbols) && !call.Syntax.ToString().Contains("Suppress") ? TransactionState.Inside : TransactionState.Unknown) : null;
        }

        if (IsStrategys((IInvocationOperation)call))
        {
            return OfStrategy((IInvocationOperation)call, place, root, symbols);
        }

        var (kind, on) = KindOf((IInvocationOperation)call, symbols);
        if (kind == DbOperationKind.None || (on.IsKnown && root.IsKnown && !on.IsSameAs(root)))
        {
            return null;
        }

        var isSame = on.IsSameAs(root);
        if (kind == DbOperationKind.Begin)
        {
            return !isBefore ? (isSame && state == TransactionState.NoneHere && IsUnconditionalAfter(call, place) ? TransactionState.Outside : null)
                : isSame && Covers(call, place) ? TransactionState.Inside
                : isSame && StatementScope.Of(call) is { } over && over.IsOver(place) ? TransactionState.Outside
                : TransactionState.Unknown;
        }

        return !isBefore || state is not (TransactionState.Inside or TransactionState.Unknown) || StatementScope.LeavesBefore(call, place) ? null
            : isSame && Covers(call, place) ? TransactionState.Outside
            : TransactionState.Unknown;
    }

    private static bool IsStrategys(IInvocationOperation call)
        => call.TargetMethod is { Name: "ExecuteInTransaction" or "ExecuteInTransactionAsync", ContainingType.Name: "ExecutionStrategyExtensions" or "RelationalExecutionStrategyExtensions" };

    // strategy.ExecuteInTransaction(operation, verifySucceeded) begins and commits around what it is given; the second runs after that.
    private static TransactionState? OfStrategy(IInvocationOperation call, IOperation place, Root root, KnownSymbols symbols)
        => call.Arguments.FirstOrDefault(argument => argument.Syntax.Span.Contains(place.Syntax.Span)) is not { } around ? null
            : around.Parameter?.Name == "operation" && symbols.Roots.Of(DbOperations.OwnerOf(call)).IsSameAs(root) ? TransactionState.Inside
            : TransactionState.Unknown;

    private static (DbOperationKind Kind, Root Root) KindOf(IInvocationOperation call, KnownSymbols symbols)
    {
        if (symbols.Operations.TryGet(call, out var operation))
        {
            var isSavepoint = operation.Kind == DbOperationKind.Rollback && call.TargetMethod.Parameters.Any(parameter => parameter.Type.SpecialType == SpecialType.System_String);
            return operation.Kind is DbOperationKind.Begin or DbOperationKind.Commit or DbOperationKind.Rollback && !isSavepoint ? (operation.Kind, symbols.Roots.Of(operation.Owner)) : default;
        }

        var owner = DbOperations.OwnerOf(call);
        return call.TargetMethod.Name switch
        {
            "UseTransaction" or "UseTransactionAsync" when call.TargetMethod.ContainingType.Is(symbols.RelationalFacadeExtensions) => (IsNull(call) ? DbOperationKind.Commit : DbOperationKind.Begin, symbols.Roots.Of(owner)),
            "EnlistTransaction" when symbols.IsConnection(owner?.Type) => (DbOperationKind.Begin, Root.Unknown),
            "Dispose" or "DisposeAsync" when symbols.IsTransaction(owner?.Type) || symbols.IsConnection(owner?.Type) || owner?.Type.InheritsFrom(symbols.DbContext) == true => (DbOperationKind.Commit, symbols.Roots.Of(owner)),
            _ => default,
        };
    }

    private static bool IsNull(IInvocationOperation call) => call.Arguments.Any(argument => argument.Parameter?.Name == "transaction" && GivenTransaction.IsNull(argument.Value));

    // Whatever runs at the place has run the call before.
    private static bool Covers(IOperation call, IOperation place) => StatementScope.Of(call) is { } scope && scope.Covers(place);

    // On the way of the place, the call follows.
    private static bool IsUnconditionalAfter(IOperation call, IOperation place)
        => StatementScope.Of(call) is not null && StatementScope.FunctionOf(call) == StatementScope.FunctionOf(place) && StatementScope.BlockOf(place) is { } block && block.Syntax.Span.Contains(call.Syntax.Span);

    private static bool IsContext(Root root, KnownSymbols symbols) => (root.Symbol as INamedTypeSymbol ?? root.Symbol.VariableType()).InheritsFrom(symbols.DbContext);

    // A command that is written to a local runs where it is executed.
    private static IOperation PlaceOf(IOperation sink)
    {
        var local = sink switch
        {
            ISimpleAssignmentOperation { Target: IPropertyReferenceOperation { Instance: ILocalReferenceOperation command } } => command.Local,
            IObjectCreationOperation => SinkOwners.DeclaredLocal(sink),
            ISimpleAssignmentOperation { Parent: IObjectOrCollectionInitializerOperation { Parent: { } creation } } => SinkOwners.DeclaredLocal(creation),
            _ => null,
        };
        return local is null ? sink
            : MemberOperations.Of(sink).UsesOf(local).FirstOrDefault(use => use.Syntax.SpanStart > sink.Syntax.SpanStart && use.Parent is IInvocationOperation call && call.Instance == use
                && call.TargetMethod.Name.StartsWith("Execute", StringComparison.Ordinal)) ?? sink;
    }
}
