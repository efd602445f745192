extern alias analyzers; // It has the SQL classifier, too, from the same source.

using System.Globalization;
using analyzers::EfPooling.Analyzers;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace EfPooling.Benchmarks.Analyzers;

/// <summary>
/// What the analyzers cost a project of 1,000 files: a whole <c>dotnet build</c> with and without them in turns, in a compiler server that has begun to
/// know them, and each rule by itself. Rules are measured one file after the other, because with more threads than cores the clock would count waits for
/// a core, too; and the least of several turns counts, because it contains the fewest collections of garbage, which are nearly all of the compiler's own.
/// </summary>
internal static class AnalyzersVerb
{
    private const int Files = 1_000;
    private const int RuleFiles = 200;
    private const int RuleTurns = 6;

    public static async Task<int> RunAsync(string[] args)
    {
        var turns = args is ["--turns", var count] ? int.Parse(count, CultureInfo.InvariantCulture) : 5;
        Console.WriteLine("milliseconds per file, in the compilation that was disturbed least:");
        await MeasureRulesAsync();
        var (without, with) = (new List<double>(), new List<double>());
        await using var project = await BuiltProject.CreateAsync(Files);
        foreach (var withOurs in new[] { true, false, true })
        {
            await project.BuildAsync(withOurs); // Starts the compiler server, and lets it compile itself and the analyzers.
        }

        for (var turn = 0; turn < turns; turn++)
        {
            without.Add((await project.BuildAsync(withOurs: false)).TotalSeconds);
            with.Add((await project.BuildAsync(withOurs: true)).TotalSeconds);
            Console.WriteLine($"turn {turn + 1}: dotnet build takes {without[^1]:0.0} s without, {with[^1]:0.0} s with the analyzers");
        }

        Console.WriteLine($"medians: {Median(without):0.0} s, {Median(with):0.0} s; slower by {(Median(with) / Median(without)) - 1:P1}");
        return 0;
    }

    private static async Task MeasureRulesAsync()
    {
        IReadOnlyList<(string Name, DiagnosticAnalyzer Analyzer)> rules =
        [
            .. FlowRulesAnalyzer.AllRules.Select(rule => (rule.Descriptor.Id, (DiagnosticAnalyzer)new FlowRulesAnalyzer([rule]))),
            .. SqlRulesAnalyzer.AllRules.Select(rule => (rule.Descriptor.Id, (DiagnosticAnalyzer)new SqlRulesAnalyzer([rule]))),
            .. typeof(PoolingAnalyzer).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(DiagnosticAnalyzer)) && !type.IsAbstract)
                .Select(type => (type.Name, (DiagnosticAnalyzer)Activator.CreateInstance(type, nonPublic: true)!)),
        ];
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => (MetadataReference)MetadataReference.CreateFromFile(path)).ToArray();
        var trees = SyntheticProject.Files(RuleFiles).Select(file => CSharpSyntaxTree.ParseText(file.Text, path: file.Name)).ToArray();
        for (var turn = 0; turn < RuleTurns; turn++)
        {
            await MeasureAsync(new FlowRulesAnalyzer(), references, trees); // What many rules share is compiled before the first one is measured.
            await MeasureAsync(new SqlRulesAnalyzer(), references, trees);
        }

        foreach (var (name, analyzer) in rules)
        {
            var times = new List<double>();
            for (var turn = 0; turn < RuleTurns; turn++)
            {
                times.Add(await MeasureAsync(analyzer, references, trees));
            }

            Console.WriteLine($"    {name,-40} {times.Min():0.000}");
        }
    }

    // Roslyn binds all code for the first analyzer that asks for operations; the SDK's do so in every build, so that this is not the price of ours.
    private static async Task<double> MeasureAsync(DiagnosticAnalyzer analyzer, MetadataReference[] references, SyntaxTree[] trees)
    {
        var compilation = CSharpCompilation.Create(
            "Synthetic", trees, references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        var run = compilation.WithAnalyzers([new IdleAnalyzer(), analyzer], new CompilationWithAnalyzersOptions(new AnalyzerOptions([]), null, concurrentAnalysis: false, logAnalyzerExecutionTime: true));
        var result = await run.GetAnalysisResultAsync(CancellationToken.None);
        return result.AnalyzerTelemetryInfo[analyzer].ExecutionTime.TotalMilliseconds / RuleFiles;
    }

    private static double Median(IEnumerable<double> times)
    {
        var sorted = times.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
