using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Rules;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers;

/// <summary>Shows each body of code to the rules about the order in which things run.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class FlowRulesAnalyzer : PoolingAnalyzer
{
    public static readonly IReadOnlyList<FlowRule> AllRules =
    [
        new OverlappingOperationsRule(),
        new CapturedByParallelCodeRule(),
        new DiscardedTaskRule(),
        new SlowWaitInTransactionRule(),
        new IncompleteTransactionRule(),
        new CommandDuringReaderRule(),
    ];

    private readonly IReadOnlyList<FlowRule> _rules;

    public FlowRulesAnalyzer()
        : this(AllRules)
    {
    }

    /// <summary>With some of the rules only, to measure each.</summary>
    internal FlowRulesAnalyzer(IReadOnlyList<FlowRule> rules)
        : base([.. rules.Select(rule => rule.Descriptor)])
        => _rules = rules;

    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
    {
        var flow = FlowSymbols.Of(context.Compilation, symbols);
        context.RegisterOperationBlockAction(blocks => Check(blocks, flow));
    }

    /// <summary>Shows one body to rules.</summary>
    public static void Check(FlowBody body, IReadOnlyList<FlowRule> rules)
    {
        foreach (var rule in body.HasWork ? rules : [])
        {
            rule.Check(body);
        }
    }

    private void Check(OperationBlockAnalysisContext context, FlowSymbols symbols)
    {
        foreach (var block in context.OperationBlocks)
        {
            if (block is IAttributeOperation || block.SemanticModel is not { } model)
            {
                continue;
            }

            var body = new FlowBody(context, block, model, symbols);
            Check(body, _rules);
        }
    }
}
