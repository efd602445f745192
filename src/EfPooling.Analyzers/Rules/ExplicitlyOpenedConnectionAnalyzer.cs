using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0014: <c>Database.OpenConnection</c> on a context that outlives the method, without <c>CloseConnection</c> in it. Silent where the
/// method takes the connection for itself (<c>GetDbConnection</c>), which must be open for ADO.NET.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ExplicitlyOpenedConnectionAnalyzer() : PoolingAnalyzer(Descriptors.ExplicitlyOpenedConnection)
{
    private static readonly HashSet<string> Reasons = new(StringComparer.Ordinal) { "CloseConnection", "CloseConnectionAsync", "GetDbConnection", "Close", "CloseAsync" };

    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
        => context.RegisterOperationAction(operation => Check(operation, symbols), OperationKind.Invocation);

    private static void Check(OperationAnalysisContext context, KnownSymbols symbols)
    {
        var invocation = (IInvocationOperation)context.Operation;
        if (invocation.TargetMethod.Name is not ("OpenConnection" or "OpenConnectionAsync") || !invocation.TargetMethod.ContainingType.Is(symbols.RelationalFacadeExtensions))
        {
            return;
        }

        var root = symbols.Roots.Of(DbOperations.OwnerOf(invocation));
        if (root.Symbol is null or ILocalSymbol || root.Origin != ConnectionOrigin.Shared)
        {
            return; // A local is of this method, which disposes of it.
        }

        var mentioned = Assignments.MemberOf(invocation.Syntax).DescendantNodes().OfType<MemberAccessExpressionSyntax>();
        if (!mentioned.Any(access => Reasons.Contains(access.Name.Identifier.ValueText)))
        {
            context.ReportDiagnostic(Diagnostic.Create(Descriptors.ExplicitlyOpenedConnection, invocation.Syntax.GetLocation(), root.Symbol is INamedTypeSymbol ? "this" : root.Symbol.Name));
        }
    }
}
