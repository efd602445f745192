using System.Collections.Concurrent;
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
    private static readonly string[] Reasons =
        ["LISTEN", "pg_advisory", "pg_try_advisory", "CREATE DATABASE", "DROP DATABASE", "CREATE ROLE", "VACUUM", "REINDEX", "TEMP", "COPY", "PREPARE", "SET ", "set_config", "REPLICATION"];

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
                    => Reasons.Any(reason => token.ValueText.IndexOf(reason, StringComparison.OrdinalIgnoreCase) >= 0),
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
