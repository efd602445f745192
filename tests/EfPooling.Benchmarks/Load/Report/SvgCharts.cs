namespace EfPooling.Benchmarks.Load.Report;

/// <summary>
/// Draws charts as SVG. It stands in for a charting library, because none could be restored from the package registry that this project was
/// built with; one can take over here alone.
/// </summary>
internal static class SvgCharts
{
    public static string Draw(Chart chart) => chart switch
    {
        BarChart bars => SvgBarChart.Draw(bars),
        LineChart lines => SvgLineChart.Draw(lines),
        _ => throw new ArgumentOutOfRangeException(nameof(chart)),
    };
}
