using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0004 without SQL: <c>NpgsqlConnection.Notification += …</c>, <c>Wait</c> and <c>WaitAsync</c>.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class NotificationUseAnalyzer() : PoolingAnalyzer(Descriptors.SessionFeature)
{
    private const string Instead = "SubscribeAsync of the data source";

    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
    {
        if (!symbols.HasNpgsql)
        {
            return;
        }

        context.RegisterOperationAction(
            operation =>
            {
                if (operation.Operation is IEventAssignmentOperation { Adds: true, EventReference: IEventReferenceOperation { Event.Name: "Notification" } reference })
                {
                    Check(operation, symbols, reference.Event, reference.Instance);
                }
            },
            OperationKind.EventAssignment);
        context.RegisterOperationAction(
            operation =>
            {
                var invocation = (IInvocationOperation)operation.Operation;
                if (invocation.TargetMethod.Name is "Wait" or "WaitAsync")
                {
                    Check(operation, symbols, invocation.TargetMethod, invocation.Instance);
                }
            },
            OperationKind.Invocation);
    }

    private static void Check(OperationAnalysisContext context, KnownSymbols symbols, ISymbol member, IOperation? connection)
    {
        if (member.ContainingType.Is(symbols.NpgsqlConnection) && symbols.Roots.Of(connection).Origin is ConnectionOrigin.Shared)
        {
            context.ReportDiagnostic(Diagnostic.Create(Descriptors.SessionFeature, context.Operation.Syntax.GetLocation(), "NpgsqlConnection." + member.Name, Instead, "what follows", "the next command may run on"));
        }
    }
}
