using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0008: the task of an operation that nobody will ever look at. The compiler has CS4014 for bare statements in asynchronous functions.</summary>
internal sealed class DiscardedTaskRule() : FlowRule(Descriptors.DiscardedTask)
{
    public override void Check(FlowBody body)
    {
        foreach (var operation in body.Operations)
        {
            if (operation.ReturnsTask && IsDiscarded(operation, body) && body.RootOf(operation).Origin != ConnectionOrigin.OtherProvider)
            {
                body.Report(Descriptor, operation.Invocation.Syntax, null, operation.Invocation.TargetMethod.Name);
            }
        }
    }

    private static bool IsDiscarded(DbOperation operation, FlowBody body)
    {
        var use = TaskUse.Of(operation.Invocation);
        return use.Kind switch
        {
            TaskUseKind.Discarded => true,
            TaskUseKind.Statement => !IsAsync(body.FunctionOf(operation.Invocation), body),
            TaskUseKind.Local => !use.Local!.IsUsing && !IsRead(use.Local),
            _ => false,
        };
    }

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
