namespace EfPooling.Benchmarks.Load.Report;

/// <summary>Draws charts as SVG that looks the same wherever it was drawn, and whose bars and dots say their values.</summary>
internal static class SvgCharts
{
    public static string Draw(Chart chart) => chart switch
    {
        BarChart bars => SvgBarChart.Draw(bars),
        LineChart lines => SvgLineChart.Draw(lines),
        _ => throw new ArgumentOutOfRangeException(nameof(chart)),
    };
}
