using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>Tells by the names in its syntax whether a piece of code uses a variable from outside it. A namesake counts too.</summary>
internal static class Captures
{
    /// <summary>Whether an operation of a control flow graph calls or passes on a local function that uses the local, or makes a lambda that does.</summary>
    public static bool MayUse(IOperation operation, ILocalSymbol local) => operation switch
    {
        IInvocationOperation { TargetMethod: { MethodKind: MethodKind.LocalFunction } function } => Mentions(function, local),
        IMethodReferenceOperation { Method: { MethodKind: MethodKind.LocalFunction } function } => Mentions(function, local),
        IFlowAnonymousFunctionOperation => Mentions(operation.Syntax, local),
        _ => false,
    };

    public static bool Mentions(SyntaxNode code, ILocalSymbol local) => MentionedNames.In(code).Contains(local.Name);

    // Local functions call one another.
    private static bool Mentions(IMethodSymbol function, ILocalSymbol local)
    {
        var visited = new HashSet<SyntaxNode>();
        var pending = new Stack<SyntaxNode>(function.DeclaringSyntaxReferences.Select(declaration => declaration.GetSyntax()));
        while (pending.Count > 0)
        {
            var code = pending.Pop();
            if (!visited.Add(code))
            {
                continue;
            }

            var names = MentionedNames.In(code);
            if (names.Contains(local.Name))
            {
                return true;
            }

            foreach (var other in Assignments.MemberOf(code).DescendantNodes().OfType<LocalFunctionStatementSyntax>().Where(other => names.Contains(other.Identifier.ValueText)))
            {
                pending.Push(other);
            }
        }

        return false;
    }
}
