using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Flow;

/// <summary>Tells by reading the syntax of the whole type whether a transaction may be ended by other means than its own object. In doubt, it may.</summary>
internal static class TransactionScopes
{
    // At the begin of a statement, and all that follows there.
    private static readonly Regex EndingText = new(
        @"(^|;)\s*(commit|rollback|abort|end)\s*($|;|\s(work|transaction|and|prepared|to)\b)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    // Asked for each transaction of a type. Values live as long as the syntax.
    private static readonly ConditionalWeakTable<SyntaxNode, StrongBox<bool>> Ending = new();

    private static readonly ConditionalWeakTable<Compilation, StrongBox<bool>> EndingElsewhere = new();

    private static readonly HashSet<string> FacadeMembers =
        ["CommitTransaction", "CommitTransactionAsync", "RollbackTransaction", "RollbackTransactionAsync", "CurrentTransaction", "UseTransaction", "UseTransactionAsync"];

    /// <summary>
    /// Whether the member uses the transaction of a context without holding it, or says COMMIT or ROLLBACK in a text; or another member of the type does, for a
    /// transaction that it has not begun itself.
    /// </summary>
    public static bool EndsByFacade(FlowBody body)
    {
        var own = Assignments.MemberOf(body.Block.Syntax);
        return Parts(body).SelectMany(MembersOf).Any(member => (member.Span.Contains(own.Span) || !Begins(member)) && Ending.GetValue(member, code => new StrongBox<bool>(Ends(code))).Value);
    }

    /// <summary>Whether a type of the project ends a transaction and begins none: a scoped context may have its transaction ended by another type.</summary>
    public static bool EndsByFacade(Compilation compilation) => EndingElsewhere.GetValue(compilation, known => new StrongBox<bool>(known.SyntaxTrees.Any(EndsWhatOthersBegin))).Value;

    private static bool EndsWhatOthersBegin(SyntaxTree tree)
        => tree.GetText().ToString() is var text && (text.Contains("CommitTransaction") || text.Contains("RollbackTransaction"))
            && tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>().Any(name
                => (name.Identifier.ValueText.StartsWith("CommitTransaction", StringComparison.Ordinal) || name.Identifier.ValueText.StartsWith("RollbackTransaction", StringComparison.Ordinal))
                    && !Begins(name.FirstAncestorOrSelf<TypeDeclarationSyntax>() ?? tree.GetRoot()));

    private static bool Begins(SyntaxNode code) => MentionedNames.In(code) is var names && (names.Contains("BeginTransaction") || names.Contains("BeginTransactionAsync"));

    // A part of a type has members; a file of top-level statements is one.
    private static IEnumerable<SyntaxNode> MembersOf(SyntaxNode part) => part is TypeDeclarationSyntax type ? type.Members : [part];

    private static bool Ends(SyntaxNode code)
        => code.DescendantNodes().Any(node => node switch
        {
            IdentifierNameSyntax name => FacadeMembers.Contains(name.Identifier.ValueText),
            LiteralExpressionSyntax text when text.IsKind(SyntaxKind.StringLiteralExpression) => EndingText.IsMatch(text.Token.ValueText),
            InterpolatedStringTextSyntax text => EndingText.IsMatch(text.TextToken.ValueText),
            _ => false,
        });

    /// <summary>Whether others have the context or connection too: the caller that passed it, or code to which it is passed.</summary>
    public static bool MayBeEndedElsewhere(Root root, FlowBody body)
        => root.Symbol is INamedTypeSymbol or IParameterSymbol { ContainingSymbol: IMethodSymbol { MethodKind: not MethodKind.Constructor } }
            || Nodes(body).Any(node => node is IdentifierNameSyntax name && name.Identifier.ValueText == root.Symbol!.Name
                && name.Parent is ArgumentSyntax or ReturnStatementSyntax or ArrowExpressionClauseSyntax or AssignmentExpressionSyntax or EqualsValueClauseSyntax);

    /// <summary>Tests roll back what they write.</summary>
    public static bool IsTest(FlowBody body)
        => body.Owner.GetAttributes().Concat(body.Owner.ContainingType?.GetAttributes() ?? []).Any(attribute
            => attribute.AttributeClass?.ContainingNamespace.ToDisplayString() is { } space
                && (space.StartsWith("Xunit", StringComparison.Ordinal) || space.StartsWith("NUnit", StringComparison.Ordinal) || space.Contains("TestTools")));

    /// <summary>The parts of the type that are in other files too; for top-level statements, the file.</summary>
    public static IEnumerable<SyntaxNode> Nodes(FlowBody body) => Parts(body).SelectMany(part => part.DescendantNodes());

    private static IEnumerable<SyntaxNode> Parts(FlowBody body)
        => body.Owner.ContainingType is { } type && body.Block.Syntax.FirstAncestorOrSelf<TypeDeclarationSyntax>() is not null
            ? type.DeclaringSyntaxReferences.Select(part => part.GetSyntax())
            : [body.Block.Syntax.SyntaxTree.GetRoot()];
}
