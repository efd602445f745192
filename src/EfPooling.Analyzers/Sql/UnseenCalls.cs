using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Sql;

/// <summary>
/// Looks for calls that hand an object to code that the project does not show, such as a mediator: it may call back whatever it likes. Calls of the database, of .NET itself and of a
/// logger do not. One thread only.
/// </summary>
internal sealed class UnseenCalls(Compilation compilation, ProjectMembers members, CancellationToken cancellation)
{
    private static readonly string[] Harmless =
    [
        "System", "Npgsql", "Dapper", "EfPooling", "Microsoft.EntityFrameworkCore",
        "Microsoft.Extensions.Logging", "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Caching",
    ];

    // They give what they get to others all the same.
    private static readonly string[] Dispatching = ["System.Reactive", "System.Reflection"];

    /// <summary>Whether the members, or what of the project they call, hand out an object.</summary>
    public bool ExistIn(IEnumerable<MemberDeclarationSyntax> starts)
    {
        var (visited, pending) = (new HashSet<SyntaxNode>(), new Stack<SyntaxNode>(starts));
        while (pending.Count > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            var member = pending.Pop();
            if (!visited.Add(member))
            {
                continue;
            }

            var model = compilation.GetSemanticModel(member.SyntaxTree);
            foreach (var call in member.DescendantNodes().OfType<InvocationExpressionSyntax>())
            {
                var found = model.GetSymbolInfo(call, cancellation);
                if (found.CandidateReason == CandidateReason.LateBound)
                {
                    return true;
                }

                if (found.Symbol is not IMethodSymbol { MethodKind: not MethodKind.DelegateInvoke } method)
                {
                    continue;
                }

                var bodies = BodiesOf(method);
                if (bodies.Count == 0 && IsUnseen(method))
                {
                    return true;
                }

                bodies.ForEach(pending.Push);
            }
        }

        return false;
    }

    // Its own; for one of an interface or base class, those of its namesakes.
    private List<SyntaxNode> BodiesOf(IMethodSymbol method)
        => method.DeclaringSyntaxReferences.Length == 0 || method.MethodKind == MethodKind.LocalFunction ? []
            : method.IsAbstract || method.IsVirtual || method.IsOverride ? [.. members.Named(method.Name).Where(HasBody)]
            : [.. (method.PartialImplementationPart ?? method).DeclaringSyntaxReferences.Select(declaration => declaration.GetSyntax(cancellation))];

    private static bool HasBody(MemberDeclarationSyntax member) => member is BaseMethodDeclarationSyntax { Body: not null } or BaseMethodDeclarationSyntax { ExpressionBody: not null };

    private static bool IsUnseen(IMethodSymbol method)
        => method.MethodKind != MethodKind.LocalFunction && !IsHarmless(method) && method.Parameters.Any(parameter => MayBeMessage(parameter.Type));

    private static bool IsHarmless(IMethodSymbol method)
    {
        var space = method.ContainingNamespace?.ToDisplayString() ?? "";
        return method.DeclaringSyntaxReferences.Length == 0 && Array.Exists(Harmless, known => IsIn(space, known)) && !Array.Exists(Dispatching, known => IsIn(space, known))
            && method.ContainingType.Name != "IObserver";
    }

    private static bool IsIn(string space, string known) => space == known || space.StartsWith(known + ".", StringComparison.Ordinal);

    private static bool MayBeMessage(ITypeSymbol type)
        => type.SpecialType is not ((>= SpecialType.System_Boolean and <= SpecialType.System_String) or SpecialType.System_DateTime) && type.TypeKind != TypeKind.Enum && type.Name is not ("CancellationToken" or "Guid" or "TimeSpan" or "DateTimeOffset" or "DateOnly");
}
