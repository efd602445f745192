using System.Collections.Immutable;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace EfPooling.Analyzers;

/// <summary>
/// What all analyzers share: generated code is left alone, execution is concurrent, and nothing is registered in a project that uses
/// neither EF Core nor ADO.NET, or that has switched the rules off with the MSBuild property <c>EfpTransactionPooling=false</c>.
/// </summary>
internal abstract class PoolingAnalyzer(params DiagnosticDescriptor[] descriptors) : DiagnosticAnalyzer
{
    private const string Switch = "build_property.EfpTransactionPooling";

    public sealed override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(descriptors);

    public sealed override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (!IsSwitchedOff(start.Options) && KnownSymbols.Of(start.Compilation) is { HasDatabase: true } symbols)
            {
                Start(start, symbols);
            }
        });
    }

    /// <summary>Registers the rule's actions for one compilation.</summary>
    protected abstract void Start(CompilationStartAnalysisContext context, KnownSymbols symbols);

    private static bool IsSwitchedOff(AnalyzerOptions options)
        => options.AnalyzerConfigOptionsProvider.GlobalOptions.TryGetValue(Switch, out var value)
            && string.Equals(value.Trim(), "false", StringComparison.OrdinalIgnoreCase);
}
