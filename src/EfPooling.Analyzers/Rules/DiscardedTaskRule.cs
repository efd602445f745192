using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0008: the task of an operation that nobody will ever look at. The compiler has CS4014 for bare statements in asynchronous functions.</summary>
internal sealed class DiscardedTaskRule() : FlowRule(Descriptors.DiscardedTask)
{
    public override void Check(FlowBody body)
    {
        foreach (var operation in body.Operations)
        {
            if (operation.ReturnsTask && IsDiscarded(operation.Invocation, body) && body.RootOf(operation).Origin != ConnectionOrigin.OtherProvider && !IsOnSubstitute(operation, body))
            {
                body.Report(Descriptor, operation.Invocation.Syntax, null, operation.Invocation.TargetMethod.Name);
            }
        }

        foreach (var call in body.Invocations)
        {
            if ((body.Symbols.IsCombinator(call.TargetMethod) && IsDiscarded(call, body) && call.Arguments.Any(argument => Waits(argument.Value, body)))
                || (OwnCalls.MayWork(call, body) && body.Symbols.Known.IsTask(call.TargetMethod.ReturnType) && IsDiscarded(call, body)
                    && OwnCalls.RootOf(call, body) is { IsKnown: true, Origin: ConnectionOrigin.Shared or ConnectionOrigin.OpenedFromPool } && !CatchesAll(call.TargetMethod)))
            {
                body.Report(Descriptor, call.Syntax, null, call.TargetMethod.Name);
            }
        }
    }

    // Its body is one try, and no error leaves that.
    private static bool CatchesAll(IMethodSymbol method)
    {
        var body = method.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() switch
        {
            MethodDeclarationSyntax declaration => declaration.Body,
            LocalFunctionStatementSyntax function => function.Body,
            _ => null,
        };
        return body is { Statements.Count: 1 } && body.Statements[0] is TryStatementSyntax attempt && attempt.Catches.Any(IsGeneral)
            && !attempt.Catches.SelectMany(handler => handler.Block.DescendantNodes(node => node is not (AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax))).Any(node => node is ThrowStatementSyntax or ThrowExpressionSyntax);
    }

    private static bool IsGeneral(CatchClauseSyntax handler)
        => handler.Filter is null && handler.Declaration?.Type.ToString() is null or "Exception" or "System.Exception" or "global::System.Exception";

    // The lost task of WhenAll is that of the operations in it.
    private static bool Waits(IOperation tasks, FlowBody body) => TaskUse.Inner(tasks) switch
    {
        IArrayCreationOperation { Initializer: { } array } => array.ElementValues.Any(element => Waits(element, body)),
        ICollectionExpressionOperation collection => collection.Elements.Any(element => Waits(element, body)),
        ILocalReferenceOperation { Local: var local } when MemberOperations.Of(body.Block).InitialValue(local) is { } initial && initial is not ILocalReferenceOperation => Waits(initial, body),
        var task => body.WorkOf(task) is { ReturnsTask: true } || (TaskProjection.Of(tasks, body) is var (function, inside) && inside.SharedWorkIn(function).Count > 0),
    };

    private static bool IsDiscarded(IInvocationOperation call, FlowBody body)
    {
        var use = TaskUse.Of(call);
        return use.Kind switch
        {
            TaskUseKind.Discarded => true,
            TaskUseKind.Statement => !IsAsync(body.FunctionOf(call), body),
            TaskUseKind.Local => !use.Local!.IsUsing && !IsRead(use.Local),
            _ => false,
        };
    }

    // substitute.Received(1).SaveChangesAsync() and substitute.When(db => db.SaveChangesAsync()) say what is expected.
    private static bool IsOnSubstitute(DbOperation operation, FlowBody body)
        => (operation.Owner is { } owner && TaskUse.Inner(owner) is IInvocationOperation call && GivesItsArgument(call.TargetMethod.ReducedFrom ?? call.TargetMethod))
            || (body.FunctionOf(operation.Invocation) is IAnonymousFunctionOperation { Parent: IDelegateCreationOperation { Parent: IArgumentOperation { Parent: IInvocationOperation outer } } }
                && outer.TargetMethod.Name is "When" or "WhenForAnyArgs" && !HandOvers.IsOfDatabase(outer.TargetMethod.ContainingType));

    private static bool GivesItsArgument(IMethodSymbol method)
        => method.Parameters.Length > 0 && !HandOvers.IsOfDatabase(method.ContainingType)
            && SymbolEqualityComparer.Default.Equals(method.OriginalDefinition.ReturnType, method.OriginalDefinition.Parameters[0].Type);

    private static bool IsAsync(IOperation function, FlowBody body) => function switch
    {
        IAnonymousFunctionOperation lambda => lambda.Symbol.IsAsync,
        ILocalFunctionOperation local => local.Symbol.IsAsync,
        _ => body.Owner is IMethodSymbol { IsAsync: true },
    };

    // A namesake counts as a read.
    private static bool IsRead(ILocalSymbol local)
        => local.DeclaringSyntaxReferences.Select(declaration => Assignments.MemberOf(declaration.GetSyntax()))
            .Any(member => MentionedNames.In(member).Contains(local.Name));
}
