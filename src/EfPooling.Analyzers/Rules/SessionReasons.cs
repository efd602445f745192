using System.Text.RegularExpressions;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

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
        pending.Enqueue((Assignments.MemberOf(connection.Syntax), MaxSteps));
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

            foreach (var next in steps > 0 && connection.SemanticModel is { } model && model.SyntaxTree == code.SyntaxTree ? Used(code, model, symbols) : [])
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

    // Texts that the code uses, the type's own methods that it calls, and those that get a connection.
    private static IEnumerable<SyntaxNode> Used(SyntaxNode code, SemanticModel model, KnownSymbols symbols)
    {
        var type = code.FirstAncestorOrSelf<TypeDeclarationSyntax>();
        foreach (var name in code.DescendantNodes().OfType<SimpleNameSyntax>())
        {
            var symbol = model.GetSymbolInfo(name).Symbol;
            var isUsed = symbol switch
            {
                IFieldSymbol field => field.Type.SpecialType == SpecialType.System_String,
                IPropertySymbol property => property.Type.SpecialType == SpecialType.System_String,
                IMethodSymbol { MethodKind: not MethodKind.LocalFunction } method => IsOf(method, type) || (method.ReducedFrom ?? method).Parameters.Any(parameter => symbols.IsConnection(parameter.Type) || symbols.IsCommand(parameter.Type)),
                _ => false,
            };
            foreach (var declaration in isUsed ? (symbol as IMethodSymbol)?.ReducedFrom?.DeclaringSyntaxReferences ?? symbol!.DeclaringSyntaxReferences : [])
            {
                yield return declaration.GetSyntax();
            }
        }
    }

    private static bool IsOf(IMethodSymbol method, TypeDeclarationSyntax? type) => type is not null && method.DeclaringSyntaxReferences.Any(declaration => declaration.GetSyntax().FirstAncestorOrSelf<TypeDeclarationSyntax>() == type);

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
