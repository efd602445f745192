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
    private const int MaxSteps = 20; // var a = b, b = a; in code that does not compile

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
                if (TakesOut(operation.Operation, symbols))
                {
                    found.Enqueue((operation.Operation.Syntax.GetLocation(), ((IInvocationOperation)operation.Operation).TargetMethod.Name));
                }
                else if (name is not null && !SessionReasons.Exist(operation.Operation, symbols))
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

    // A context that gets a connection of Npgsql's leaves its pool, whatever it is for. One that gets a data source of Npgsql's does not: it is pooled.
    private static bool TakesOut(IOperation operation, KnownSymbols symbols)
        => operation is IInvocationOperation { TargetMethod: { Name: "SetDbConnection", ContainingType: { } type } } call
            && (type.Is(symbols.RelationalFacadeExtensions) || type.ContainingNamespace.ToDisplayString() is "Microsoft.EntityFrameworkCore" or "Microsoft.EntityFrameworkCore.Storage")
            && call.Arguments.Any(argument => symbols.IsConnection(argument.Parameter?.Type) && IsNpgsqls(argument.Value, symbols));

    // The type shows it, also that of what a local is made of.
    private static bool IsNpgsqls(IOperation value, KnownSymbols symbols)
    {
        IOperation? current = value;
        for (var i = 0; i < MaxSteps && current is not null && !symbols.IsNpgsqls(current.Type); i++)
        {
            current = current switch
            {
                IConversionOperation conversion => conversion.Operand,
                IParenthesizedOperation parenthesized => parenthesized.Operand,
                IAwaitOperation awaited => awaited.Operation,
                ILocalReferenceOperation { Local: var local } when local.IsUsing || !Assignments.MayBeReassigned(local) => LocalValues.InitialValue(local, current),
                _ => null,
            };
        }

        return current is not null && symbols.IsNpgsqls(current.Type);
    }

    // It is reported where it is given to the context.
    private static bool IsSet(IOperation connection)
    {
        var value = connection;
        while (value.Parent is IConversionOperation)
        {
            value = value.Parent;
        }

        return value.Parent is IArgumentOperation { Parent: IInvocationOperation { TargetMethod.Name: "SetDbConnection" } };
    }

    private static bool SwitchesOn(IMethodSymbol method, KnownSymbols symbols)
        => method.ContainingType.Is(symbols.PoolingOptionsExtensions) || method.ContainingType.Is(symbols.PoolingServices);

    private static string? NameOf(IOperation operation, KnownSymbols symbols) => operation switch
    {
        IObjectCreationOperation creation when creation.Type.Is(symbols.NpgsqlConnection) && !IsSet(creation) => "new NpgsqlConnection",
        IInvocationOperation { TargetMethod: { Name: "OpenConnection" or "OpenConnectionAsync" or "CreateConnection" } method } invocation
            when (invocation.Instance?.Type ?? method.ContainingType).InheritsFrom(symbols.NpgsqlDataSource) => "NpgsqlDataSource." + method.Name,
        _ => null,
    };
}
