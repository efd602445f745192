using System.Text.RegularExpressions;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// Looks for a reason to have a connection of one's own: it listens, locks, copies, changes settings or administers the server. The reason may stand in the
/// member, in a constant or field that it uses, in a method of the type or one that is given the connection, or in a member that uses the field
/// that keeps the connection.
/// </summary>
internal static class SessionReasons
{
    private const int MaxSteps = 3;

    // What a statement begins with, and what may stand anywhere in one.
    private static readonly Regex Texts = new(
        @"(^|;)\s*(LISTEN|UNLISTEN|VACUUM|REINDEX|COPY|PREPARE|SET|ALTER\s+SYSTEM|(CREATE|DROP)\s+(DATABASE|ROLE))\b|\b(pg_(try_)?advisory_\w+|set_config|TEMP|TEMPORARY|pg_temp|\w*REPLICATION\w*)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    private static readonly HashSet<string> Members = new(StringComparer.Ordinal)
    {
        "Notification", "Wait", "WaitAsync", "BeginBinaryImport", "BeginBinaryImportAsync", "BeginTextImport", "BeginTextImportAsync",
        "BeginBinaryExport", "BeginBinaryExportAsync", "BeginTextExport", "BeginTextExportAsync", "BeginRawBinaryCopy", "BeginRawBinaryCopyAsync",
    };

    /// <param name="connection">The operation that makes the connection.</param>
    /// <param name="symbols">The known types.</param>
    public static bool Exist(IOperation connection, KnownSymbols symbols)
    {
        var (visited, pending) = (new HashSet<SyntaxNode>(), new Queue<(SyntaxNode Code, int Steps)>());
        var own = Assignments.MemberOf(connection.Syntax);
        pending.Enqueue((own, MaxSteps));
        foreach (var user in UsersOfKeeper(connection))
        {
            pending.Enqueue((user, MaxSteps - 1));
        }

        while (pending.Count > 0)
        {
            var (code, steps) = pending.Dequeue();
            if (!visited.Add(code))
            {
                continue;
            }

            if (Says(code))
            {
                return true;
            }

            foreach (var next in steps == 0 ? [] : code == own ? Used(connection, symbols) : NamedIn(code))
            {
                pending.Enqueue((next, steps - 1));
            }
        }

        return false;
    }

    private static bool Says(SyntaxNode code) => code.DescendantTokens().Any(token => token.Kind() switch
    {
        SyntaxKind.StringLiteralToken or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken or SyntaxKind.InterpolatedStringTextToken
            => Texts.IsMatch(token.ValueText),
        SyntaxKind.IdentifierToken => token.Parent is SimpleNameSyntax && Members.Contains(token.ValueText),
        _ => false,
    });

    // Texts that the member uses, the type's own methods that it calls, and those that get a connection.
    private static IEnumerable<SyntaxNode> Used(IOperation connection, KnownSymbols symbols)
    {
        var root = connection;
        while (root.Parent is { } parent)
        {
            root = parent;
        }

        return root.DescendantsAndSelf().Select(operation => operation switch
        {
            IFieldReferenceOperation { Field: { Type.SpecialType: SpecialType.System_String } field } => field,
            IPropertyReferenceOperation { Property: { Type.SpecialType: SpecialType.System_String } property } => property,
            IInvocationOperation { TargetMethod: { MethodKind: not MethodKind.LocalFunction } method } call when call.Instance is IInstanceReferenceOperation || GetsConnection(method.ReducedFrom ?? method, symbols) => method.ReducedFrom ?? method,
            _ => (ISymbol?)null,
        }).SelectMany(symbol => symbol?.DeclaringSyntaxReferences.Select(declaration => declaration.GetSyntax()) ?? []);
    }

    private static bool GetsConnection(IMethodSymbol method, KnownSymbols symbols) => method.Parameters.Any(parameter => symbols.IsConnection(parameter.Type) || symbols.IsCommand(parameter.Type));

    // Further on, by names: the members of the same type that the code mentions.
    private static IEnumerable<SyntaxNode> NamedIn(SyntaxNode code)
        => code.FirstAncestorOrSelf<TypeDeclarationSyntax>()?.Members.Where(member => member switch
        {
            MethodDeclarationSyntax method => MentionedNames.In(code).Contains(method.Identifier.ValueText),
            FieldDeclarationSyntax field => field.Declaration.Variables.Any(variable => MentionedNames.In(code).Contains(variable.Identifier.ValueText)),
            _ => false,
        }) ?? [];

    // _own = new NpgsqlConnection(…), and what the type does with _own elsewhere.
    private static IEnumerable<SyntaxNode> UsersOfKeeper(IOperation connection)
    {
        var keeper = connection.Syntax.FirstAncestorOrSelf<AssignmentExpressionSyntax>()?.Left switch
        {
            IdentifierNameSyntax name => name.Identifier.ValueText,
            MemberAccessExpressionSyntax { Expression: ThisExpressionSyntax } member => member.Name.Identifier.ValueText,
            _ => (connection.Syntax.FirstAncestorOrSelf<FieldDeclarationSyntax>()?.Declaration.Variables.FirstOrDefault(variable => variable.Span.Contains(connection.Syntax.Span)))?.Identifier.ValueText,
        };
        return keeper is null ? [] : connection.Syntax.FirstAncestorOrSelf<TypeDeclarationSyntax>()?.Members.Where(member => MentionedNames.In(member).Contains(keeper)) ?? [];
    }
}
