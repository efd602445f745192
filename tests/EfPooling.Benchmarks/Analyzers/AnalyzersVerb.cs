extern alias analyzers; // It has the SQL classifier, too, from the same source.

using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using analyzers::EfPooling.Analyzers;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace EfPooling.Benchmarks.Analyzers;

/// <summary>
/// What the analyzers cost a compilation of 1,000 files, in processor time, which other work on the machine changes little: each rule per file,
/// and the compilation with and without them in turns. A build does more than compile, so it is slowed down less.
/// </summary>
internal static class AnalyzersVerb
{
    private const int Files = 1_000;

    public static async Task<int> RunAsync(string[] args)
    {
        var turns = args is ["--turns", var count] ? int.Parse(count, CultureInfo.InvariantCulture) : 5;
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => (MetadataReference)MetadataReference.CreateFromFile(path)).ToArray();
        ImmutableArray<DiagnosticAnalyzer> rules =
            [.. typeof(PoolingAnalyzer).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(DiagnosticAnalyzer)) && !type.IsAbstract)
                .Select(type => (DiagnosticAnalyzer)Activator.CreateInstance(type, nonPublic: true)!)];
        ImmutableArray<DiagnosticAnalyzer> nothing = [new IdleAnalyzer()];
        await CompileAsync(references, rules); // Warm.
        var (alone, idle, with) = (new List<double>(), new List<double>(), new List<double>());
        for (var turn = 0; turn < turns; turn++)
        {
            alone.Add(await CompileAsync(references, []));
            idle.Add(await CompileAsync(references, nothing));
            with.Add(await CompileAsync(references, [.. nothing, .. rules]));
            Console.WriteLine($"turn {turn + 1}: {alone[^1]:0.0} s compiler alone, {idle[^1]:0.0} s with an analyzer that does nothing, {with[^1]:0.0} s with ours too");
        }

        Console.WriteLine("each rule by itself, with what its analyzer does for all of them:");
        foreach (var rule in FlowRulesAnalyzer.AllRules)
        {
            await CompileAsync(references, [nothing[0], new FlowRulesAnalyzer([rule])], rule.Descriptor.Id);
        }

        foreach (var rule in SqlRulesAnalyzer.AllRules)
        {
            await CompileAsync(references, [nothing[0], new SqlRulesAnalyzer([rule])], rule.Descriptor.Id);
        }

        Console.WriteLine($"medians: {Median(alone):0.00} s, {Median(idle):0.00} s, {Median(with):0.00} s; ours on top of an idle one: {(Median(with) / Median(idle)) - 1:P1}, {(Median(with) - Median(idle)) * 1000 / Files:0.00} ms per file");
        return 0;
    }

    // Seconds of processor time.
    private static async Task<double> CompileAsync(MetadataReference[] references, ImmutableArray<DiagnosticAnalyzer> analyzers, string? rule = null)
    {
        var compilation = CSharpCompilation.Create(
            "Synthetic",
            SyntheticProject.Files(Files).Select(file => CSharpSyntaxTree.ParseText(file.Text, path: file.Name)),
            references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        if (analyzers.Length > 0)
        {
            var run = compilation.WithAnalyzers(analyzers, new CompilationWithAnalyzersOptions(new AnalyzerOptions([]), null, concurrentAnalysis: true, logAnalyzerExecutionTime: true));
            var result = await run.GetAnalysisResultAsync(CancellationToken.None);
            foreach (var (analyzer, telemetry) in result.AnalyzerTelemetryInfo.Where(item => item.Key is not IdleAnalyzer || rule is null).OrderByDescending(item => item.Value.ExecutionTime))
            {
                Console.WriteLine($"    {rule ?? analyzer.GetType().Name,-40} {telemetry.ExecutionTime.TotalMilliseconds / Files:0.000} ms per file on the clock");
            }

            compilation = (CSharpCompilation)run.Compilation;
        }

        using var output = new MemoryStream();
        var emitted = compilation.Emit(output);
        return emitted.Success ? (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds : throw new InvalidOperationException(string.Join('\n', emitted.Diagnostics.Take(5)));
    }

    private static double Median(IEnumerable<double> times)
    {
        var sorted = times.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
