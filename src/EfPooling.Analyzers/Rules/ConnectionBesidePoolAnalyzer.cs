using System.Collections.Concurrent;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0016: Npgsql's own connections in an application that pools transactions. Silent in test projects, and where the code shows a reason, see
/// <see cref="SessionReasons"/>.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ConnectionBesidePoolAnalyzer() : PoolingAnalyzer(Descriptors.ConnectionBesidePool)
{
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
                if (name is not null && !SessionReasons.Exist(operation.Operation, symbols))
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
}
