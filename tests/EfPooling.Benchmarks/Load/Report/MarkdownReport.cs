using System.Globalization;
using System.Text;

namespace EfPooling.Benchmarks.Load.Report;

/// <summary>Pages for the documentation.</summary>
internal static class MarkdownReport
{
    /// <summary>The page of one scenario.</summary>
    public static string Describe(ScenarioResult result)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {result.Name}\n\n{char.ToUpperInvariant(result.Description[0])}{result.Description[1..]}.\n\n");
        AppendTable(text, result.Table);
        foreach (var chart in result.Charts)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n![{chart.Title}]({chart.FileName}.svg)\n");
        }

        AppendList(text, "Notes", result.Notes);
        return text.ToString();
    }

    /// <summary>The page of the whole run: machine, peers, ratios.</summary>
    public static string Summarise(RunRecord run)
    {
        var options = run.Options;
        var text = new StringBuilder("# Summary\n\n");
        text.Append(
            CultureInfo.InvariantCulture,
            $"{options.Rounds} rounds of {options.Times.Measured.TotalSeconds:0.##} s for each peer, after {options.Times.WarmUp.TotalSeconds:0.##} s of warm-up.");
        text.Append(options.IsQuick ? " A quick run: its numbers say little.\n\n" : "\n\n");
        AppendTable(text, new ResultTable(["", ""], 2, [.. run.Machine.Facts.Select(fact => new[] { fact.Name, fact.Value })]));
        AppendList(text, "Peers", [.. run.Peers, .. run.Skipped]);
        text.Append("\n## Ratios\n\nEfPooling's operations per second divided by the peer's: more than 1 is faster. In `idle` the number is that of bytes: less than 1 is smaller.\n\n");
        AppendTable(text, RatioTable([.. run.Results.SelectMany(result => result.Ratios)]));
        return text.ToString();
    }

    private static ResultTable RatioTable(IReadOnlyList<Ratio> ratios)
    {
        var peers = ratios.Select(ratio => ratio.Peer).Distinct().ToList();
        var rows = ratios.GroupBy(ratio => (ratio.Scenario, ratio.Api)).Select(row => (IReadOnlyList<string>)
        [
            row.Key.Scenario,
            row.Key.Api,
            .. peers.Select(peer => row.FirstOrDefault(ratio => ratio.Peer == peer) is { } ratio ? ratio.Value.ToString("0.00", CultureInfo.InvariantCulture) : "-"),
        ]);
        return new ResultTable(["scenario", "API", .. peers], 2, [.. rows]);
    }

    private static void AppendTable(StringBuilder text, ResultTable table)
    {
        AppendRow(text, table.Columns);
        AppendRow(text, table.Columns.Select((_, i) => i < table.TextColumns ? "---" : "---:"));
        foreach (var row in table.Rows)
        {
            AppendRow(text, row);
        }
    }

    private static void AppendRow(StringBuilder text, IEnumerable<string> cells)
        => text.Append("| ").AppendJoin(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");

    private static void AppendList(StringBuilder text, string title, IReadOnlyList<string> items)
    {
        if (items.Count == 0)
        {
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n");
        foreach (var item in items)
        {
            text.Append(CultureInfo.InvariantCulture, $"- {item}\n");
        }
    }
}
