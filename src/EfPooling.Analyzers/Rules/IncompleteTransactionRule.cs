using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0010: a transaction whose result is thrown away, one that stays open when something fails, and one that writes and is never
/// committed. To read in a transaction and let it roll back is fine.
/// </summary>
internal sealed class IncompleteTransactionRule() : FlowRule(Descriptors.IncompleteTransaction)
{
    private const string Held = ": until then it holds a server connection of the pool, and its locks";

    public override void Check(FlowBody body)
    {
        foreach (var operation in body.Operations)
        {
            if (operation.Kind != DbOperationKind.Begin || body.RootOf(operation) is not { Origin: not ConnectionOrigin.OtherProvider } root
                || TaskUse.Result(operation.Invocation, operation.ReturnsTask) is not { } result)
            {
                continue;
            }

            if (TransactionLocal.Of(operation, body) is { } transaction)
            {
                CheckLocal(transaction, root, body);
            }
            else if (result.Parent is IExpressionStatementOperation or ISimpleAssignmentOperation { Target: IDiscardOperation })
            {
                CheckDiscarded(operation, root, body);
            }
            else if (result.Parent is IUsingOperation scope && scope.Resources == result)
            {
                CheckCommit(operation, root, body);
            }
        }
    }

    private void CheckDiscarded(DbOperation begin, Root root, FlowBody body)
    {
        if (root.IsKnown && !TransactionScopes.MayBeEndedElsewhere(root, body) && !TransactionScopes.EndsByFacade(body)
            && !TestCode.IsTestProject(body.Symbols.Compilation) && !TransactionScopes.EndsByFacade(body.Symbols.Compilation))
        {
            Report(begin, body, "is discarded, and nothing in this type ends it" + Held, "Keep it with 'await using', and commit it");
        }
    }

    private void CheckLocal(TransactionLocal transaction, Root root, FlowBody body)
    {
        var uses = transaction.Uses;
        if (uses.Any(item => item.Use == TransactionUse.Escapes))
        {
            return;
        }

        if (transaction.Local.IsUsing || uses.Any(item => item.Reference.Parent is IUsingOperation))
        {
            if (!uses.Any(item => item.Use is TransactionUse.Commits or TransactionUse.RollsBack))
            {
                CheckCommit(transaction.Begin, root, body);
            }
        }
        else if (!uses.Any(item => IsEndAfterFailure(item, body.FunctionOf(transaction.Begin.Invocation), body)) && !Ownership.IsDisposedOf(root, body.Block) && !Ownership.EndsWithScope(root, body) && !TransactionScopes.EndsByFacade(body))
        {
            Report(transaction.Begin, body, "stays open when something fails before its end, until its context or connection is disposed of" + Held, "Declare it with 'await using'");
        }
    }

    private void CheckCommit(DbOperation begin, Root root, FlowBody body)
    {
        if (!TransactionScopes.IsTest(body) && !TransactionScopes.EndsByFacade(body)
            && body.Operations.Any(operation => operation.Invocation.Syntax.SpanStart > begin.Invocation.Syntax.SpanStart
                && body.RootOf(operation).IsSameAs(root) && Writes.IsWrite(operation))
            && !MayBeEndedByOthers(begin, root, body))
        {
            Report(begin, body, "is never committed, so that what it writes is always rolled back", "Commit it at the end, or say that it shall be rolled back (RollbackAsync)");
        }
    }

    // By code that gets the context, or through another object that stands for the same transaction.
    private static bool MayBeEndedByOthers(DbOperation begin, Root root, FlowBody body)
        => HandOvers.IsKeptByOthers(root, body)
            || body.All.Any(operation => HandOvers.MayEnd(operation, root, body)
                && (operation.Syntax.SpanStart > begin.Invocation.Syntax.SpanStart || operation is IObjectCreationOperation))
            || body.Operations.Any(operation => operation.Kind is DbOperationKind.Commit or DbOperationKind.Rollback
                && operation.Invocation.Syntax.SpanStart > begin.Invocation.Syntax.SpanStart && !IsOfAnother(operation, body));

    private static bool IsOfAnother(DbOperation end, FlowBody body)
        => end.Owner is { } owner && TaskUse.Inner(owner) is ILocalReferenceOperation { Local: var local }
            && body.Operations.Any(operation => operation.Kind == DbOperationKind.Begin
                && SymbolEqualityComparer.Default.Equals(TaskUse.LocalOfResult(operation.Invocation, operation.ReturnsTask), local));

    // In finally, in the catch of whatever has failed, or in a function that may be called there.
    private static bool IsEndAfterFailure((IOperation Reference, TransactionUse Use) item, IOperation function, FlowBody body)
    {
        if (item.Use is not (TransactionUse.Disposes or TransactionUse.RollsBack))
        {
            return false;
        }

        if (body.FunctionOf(item.Reference) != function)
        {
            return true;
        }

        for (var (inner, outer) = (item.Reference, item.Reference.Parent); outer is not null; (inner, outer) = (outer, outer.Parent))
        {
            if (outer is ICatchClauseOperation || (outer is ITryOperation handler && handler.Finally == inner))
            {
                return true;
            }
        }

        return false;
    }

    private void Report(DbOperation begin, FlowBody body, string problem, string remedy)
        => body.Report(Descriptor, begin.Invocation.Syntax, null, begin.Invocation.TargetMethod.Name, problem, remedy);
}
