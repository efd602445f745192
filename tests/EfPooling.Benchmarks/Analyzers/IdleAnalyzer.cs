using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace EfPooling.Benchmarks.Analyzers;

/// <summary>
/// Asks for operations and does nothing with them. Roslyn binds all code once more for the first analyzer that asks; the analyzers of the
/// SDK, which are on by default, do so in every build, so that this is not the price of ours.
/// </summary>
#pragma warning disable RS1001, RS1036 // Not for users.
internal sealed class IdleAnalyzer : DiagnosticAnalyzer
#pragma warning restore RS1001, RS1036
{
#pragma warning disable RS2008 // Not released.
    private static readonly DiagnosticDescriptor Nothing = new("IDLE", "Nothing", "Nothing", "Benchmark", DiagnosticSeverity.Warning, isEnabledByDefault: true);
#pragma warning restore RS2008

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Nothing];

    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterOperationAction(_ => { }, OperationKind.Invocation, OperationKind.ObjectCreation, OperationKind.SimpleAssignment);
    }
}
