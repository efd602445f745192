namespace EfPooling.Benchmarks.Load.Report;

/// <summary>Bars in groups, a bar for each series that has a value in the group.</summary>
/// <param name="FileName">Without directory and ending.</param>
/// <param name="Title">What is shown, with the unit.</param>
/// <param name="Series">Names, in order; each has a colour.</param>
/// <param name="Bars">The values.</param>
internal sealed record BarChart(string FileName, string Title, IReadOnlyList<string> Series, IReadOnlyList<BarChart.Bar> Bars) : Chart(FileName, Title)
{
    /// <summary>One bar.</summary>
    internal sealed record Bar(string Group, string Series, double Value);
}
