using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>The code behind a delegate, as far as it is in the same file.</summary>
internal static class DeferredFunction
{
    /// <summary>The function, and the body that it is part of; both null if the code is not to be seen.</summary>
    public static (IOperation? Function, FlowBody? Body) Of(IDelegateCreationOperation code, FlowBody body)
    {
        switch (code.Target)
        {
            case IAnonymousFunctionOperation lambda:
                return (lambda, body);
            case IMethodReferenceOperation { Method: { MethodKind: MethodKind.LocalFunction } local }:
                return (body.LocalFunction(local), body);
            case IMethodReferenceOperation { Method: var method, Instance: null or IInstanceReferenceOperation }
                when method.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() is MethodDeclarationSyntax declaration && declaration.SyntaxTree == body.Model.SyntaxTree
                    && SymbolEqualityComparer.Default.Equals(method.ContainingType, body.Owner.ContainingType)
                    && body.BodyOf(declaration) is { } other:
                return (other.Block, other);
            default:
                return (null, null);
        }
    }

    /// <summary>The work of all code that an operation passes on to run beside the rest.</summary>
    public static IEnumerable<DbTask> WorkOf(IOperation operation, FlowBody body)
        => DeferredCode.Of(operation, body.Symbols).SelectMany(deferred => Of(deferred.Code, body) is ({ } function, { } inside) && !SharedWork.IsSerialized(function, inside) ? inside.SharedWorkIn(function) : []);
}
