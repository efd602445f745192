using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0016: Npgsql's own connections in an application that pools transactions. Silent in test projects, and in a member that shows a reason:
/// it listens, locks, or administers the server.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ConnectionBesidePoolAnalyzer() : PoolingAnalyzer(Descriptors.ConnectionBesidePool)
{
    // What a statement begins with, and what may stand anywhere in one.
    private static readonly Regex Reasons = new(
        @"(^|;)\s*(LISTEN|UNLISTEN|VACUUM|REINDEX|COPY|PREPARE|SET|ALTER\s+SYSTEM|(CREATE|DROP)\s+(DATABASE|ROLE))\b|\b(pg_(try_)?advisory_\w+|set_config|TEMP|TEMPORARY|pg_temp|\w*REPLICATION\w*)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    private static readonly HashSet<string> ReasonableMembers = new(StringComparer.Ordinal)
    {
        "Notification", "Wait", "WaitAsync", "BeginBinaryImport", "BeginBinaryImportAsync", "BeginTextImport", "BeginTextImportAsync",
        "BeginBinaryExport", "BeginBinaryExportAsync", "BeginTextExport", "BeginTextExportAsync", "BeginRawBinaryCopy", "BeginRawBinaryCopyAsync",
    };

    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
    {
        if (symbols.PooledDataSource is null || TestCode.IsTestProject(context.Compilation))
        {
            return;
        }

        var found = new ConcurrentQueue<(Location Location, string Name)>();
        var isPooled = 0; // Interlocked only: 1 if the project switches pooling on
        context.RegisterOperationAction(
            operation =>
            {
                var name = NameOf(operation.Operation, symbols);
                if (name is not null && !HasReason(operation.Operation.Syntax))
                {
                    found.Enqueue((operation.Operation.Syntax.GetLocation(), name));
                }
                else if (operation.Operation is IInvocationOperation { TargetMethod: { } method } && SwitchesOn(method, symbols))
                {
                    Interlocked.Exchange(ref isPooled, 1);
                }
            },
            OperationKind.Invocation,
            OperationKind.ObjectCreation);
        context.RegisterCompilationEndAction(end =>
        {
            foreach (var (location, name) in isPooled == 0 ? [] : found.ToArray())
            {
                end.ReportDiagnostic(Diagnostic.Create(Descriptors.ConnectionBesidePool, location, name));
            }
        });
    }

    private static bool SwitchesOn(IMethodSymbol method, KnownSymbols symbols)
        => method.ContainingType.Is(symbols.PoolingOptionsExtensions) || method.ContainingType.Is(symbols.PoolingServices);

    private static string? NameOf(IOperation operation, KnownSymbols symbols) => operation switch
    {
        IObjectCreationOperation creation when creation.Type.Is(symbols.NpgsqlConnection) => "new NpgsqlConnection",
        IInvocationOperation { TargetMethod: { Name: "OpenConnection" or "OpenConnectionAsync" or "CreateConnection" } method } invocation
            when (invocation.Instance?.Type ?? method.ContainingType).InheritsFrom(symbols.NpgsqlDataSource) => "NpgsqlDataSource." + method.Name,
        _ => null,
    };

    private static bool HasReason(SyntaxNode node)
    {
        foreach (var token in Assignments.MemberOf(node).DescendantTokens())
        {
            var isReason = token.Kind() switch
            {
                SyntaxKind.StringLiteralToken or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken or SyntaxKind.InterpolatedStringTextToken
                    => Reasons.IsMatch(token.ValueText),
                SyntaxKind.IdentifierToken => token.Parent is SimpleNameSyntax && ReasonableMembers.Contains(token.ValueText),
                _ => false,
            };
            if (isReason)
            {
                return true;
            }
        }

        return false;
    }
}
