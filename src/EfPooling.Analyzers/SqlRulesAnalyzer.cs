using EfPooling.Analyzers.Rules;
using EfPooling.Analyzers.Sql;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace EfPooling.Analyzers;

/// <summary>Finds the SQL texts of a project and shows each to the rules about SQL.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class SqlRulesAnalyzer : PoolingAnalyzer
{
    public static readonly IReadOnlyList<SqlRule> AllRules =
    [
        new SessionSettingRule(),
        new SessionLockRule(),
        new SessionFeatureRule(),
        new TemporaryObjectRule(),
        new TransactionTextRule(),
        new LocalWithoutTransactionRule(),
    ];

    private readonly IReadOnlyList<SqlRule> _rules;

    public SqlRulesAnalyzer()
        : this(AllRules)
    {
    }

    /// <summary>With some of the rules only, to measure each.</summary>
    internal SqlRulesAnalyzer(IReadOnlyList<SqlRule> rules)
        : base([.. rules.Select(rule => rule.Descriptor)])
        => _rules = rules;

    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
    {
        if (!symbols.HasNpgsql)
        {
            return;
        }

        var sinks = new SqlSinks(symbols);
        context.RegisterOperationAction(
            operation => Check(operation, sinks, symbols), OperationKind.Invocation, OperationKind.ObjectCreation, OperationKind.SimpleAssignment);
    }

    private void Check(OperationAnalysisContext context, SqlSinks sinks, KnownSymbols symbols)
    {
        if (!sinks.TryGet(context.Operation, out var sink) || SqlSourceReader.Read(sink.Value, sink.IsParameterised) is not { } source)
        {
            return;
        }

        var script = new SqlScript(source.Text);
        if (script.Statements.Count == 0)
        {
            return;
        }

        var use = new SqlUse(sink, source, script, symbols.Roots, context.ContainingSymbol, context.Compilation, context.ReportDiagnostic, context.CancellationToken);
        foreach (var rule in _rules.Where(rule => rule.Concerns(use)))
        {
            foreach (var statement in script.Statements)
            {
                rule.Check(use, statement);
            }
        }
    }
}
