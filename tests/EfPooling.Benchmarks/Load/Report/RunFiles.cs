using System.Text.Encodings.Web;
using System.Text.Json;

namespace EfPooling.Benchmarks.Load.Report;

/// <summary>Writes a run to a directory: a page for each scenario, its charts, a page with machine and ratios, and everything in JSON.</summary>
internal static class RunFiles
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // nobody puts it into a web page
    };

    /// <summary>Files of scenarios that did not run this time stay as they are.</summary>
    public static void Write(string directory, RunRecord run)
    {
        Directory.CreateDirectory(directory);
        foreach (var result in run.Results)
        {
            foreach (var chart in result.Charts)
            {
                File.WriteAllText(Path.Combine(directory, chart.FileName + ".svg"), SvgCharts.Draw(chart));
            }

            File.WriteAllText(Path.Combine(directory, result.Name + ".md"), MarkdownReport.Describe(result));
        }

        File.WriteAllText(Path.Combine(directory, "summary.md"), MarkdownReport.Summarise(run));
        File.WriteAllText(Path.Combine(directory, "results.json"), JsonSerializer.Serialize(ToJson(run), Json) + "\n");
    }

    private static object ToJson(RunRecord run) => new
    {
        run.Machine,
        Options = new
        {
            run.Options.Scenarios,
            run.Options.Apis,
            WarmUpSeconds = run.Options.Times.WarmUp.TotalSeconds,
            Seconds = run.Options.Times.Measured.TotalSeconds,
            run.Options.Rounds,
            run.Options.IsQuick,
        },
        run.Peers,
        run.Skipped,
        Scenarios = run.Results.Select(result => new { result.Name, result.Description, result.Data, result.Ratios, result.Notes }),
    };
}
