using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Diagnostics;

namespace EfPooling.Analyzers.Tests;

/// <summary>Runs analyzers as the compiler does: concurrently, with all rules on. Fails if one of them throws.</summary>
internal static class Analysis
{
    public static async Task<ImmutableArray<Diagnostic>> RunAsync(
        Compilation compilation, IReadOnlyDictionary<string, string>? options = null, params DiagnosticAnalyzer[] analyzers)
    {
        var crashes = new ConcurrentQueue<string>();
        var severities = analyzers.SelectMany(analyzer => analyzer.SupportedDiagnostics).Select(descriptor => descriptor.Id).Distinct()
            .ToDictionary(id => id, _ => ReportDiagnostic.Warn);
        var run = compilation
            .WithOptions(compilation.Options.WithSpecificDiagnosticOptions(severities).WithConcurrentBuild(true))
            .WithAnalyzers(
                [.. analyzers],
                new CompilationWithAnalyzersOptions(
                    new AnalyzerOptions([], new TestOptions(options ?? new Dictionary<string, string>())),
                    (exception, analyzer, _) => crashes.Enqueue($"{analyzer.GetType().Name}: {exception}"),
                    concurrentAnalysis: true,
                    logAnalyzerExecutionTime: false));
        var found = await run.GetAnalyzerDiagnosticsAsync();
        Assert.True(crashes.IsEmpty, string.Join("\n\n", crashes));
        return found;
    }

    /// <summary>Every analyzer of the product.</summary>
    public static DiagnosticAnalyzer[] AllAnalyzers()
        => [.. typeof(PoolingAnalyzer).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(DiagnosticAnalyzer)) && !type.IsAbstract)
            .OrderBy(type => type.FullName, StringComparer.Ordinal)
            .Select(type => (DiagnosticAnalyzer)Activator.CreateInstance(type, nonPublic: true)!)];

    /// <summary>Every code fix of the product.</summary>
    public static CodeFixProvider[] AllFixes()
        => [.. typeof(SqlTextFix).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(CodeFixProvider)) && !type.IsAbstract)
            .Select(type => (CodeFixProvider)Activator.CreateInstance(type, nonPublic: true)!)];
}
