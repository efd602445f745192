using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Rules;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers;

/// <summary>Shows each body of code to the rules about the order in which things run.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class FlowRulesAnalyzer() : PoolingAnalyzer([.. Rules.Select(rule => rule.Descriptor)])
{
    private static readonly FlowRule[] Rules =
    [
        new OverlappingOperationsRule(),
        new CapturedByParallelCodeRule(),
        new DiscardedTaskRule(),
        new SlowWaitInTransactionRule(),
        new IncompleteTransactionRule(),
        new CommandDuringReaderRule(),
    ];

    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
    {
        var flow = FlowSymbols.Of(context.Compilation, symbols);
        context.RegisterOperationBlockAction(blocks => Check(blocks, flow));
    }

    private static void Check(OperationBlockAnalysisContext context, FlowSymbols symbols)
    {
        foreach (var block in context.OperationBlocks)
        {
            if (block is IAttributeOperation || block.SemanticModel is not { } model)
            {
                continue;
            }

            var body = new FlowBody(context, block, model, symbols);
            foreach (var rule in Rules)
            {
                rule.Check(body);
            }
        }
    }
}
