namespace EfPooling.Benchmarks.Load.Report;

/// <summary>Bars from left to right, because names of peers are long.</summary>
internal static class SvgBarChart
{
    private const int Width = 820;
    private const int Left = 190;
    private const int Right = 90;
    private const int Top = 44;
    private const int BarHeight = 18;
    private const int BarPitch = 22;
    private const int GroupGap = 30;

    public static string Draw(BarChart chart)
    {
        var groups = chart.Bars.GroupBy(bar => bar.Group).ToList();
        var height = Top + (groups.Count * GroupGap) + (chart.Bars.Count * BarPitch) + 40;
        var canvas = new SvgCanvas(Width, height, chart.Title);
        var scale = new ChartScale(chart.Bars.Select(bar => bar.Value).DefaultIfEmpty(1).Max());
        double XOf(double value) => Left + ((Width - Left - Right) * value / scale.Top);

        foreach (var number in scale.Numbers)
        {
            canvas.Line(XOf(number), Top, XOf(number), height - 32, "#d0d7de");
            canvas.Text(XOf(number), height - 16, ChartScale.Format(number), "middle", size: 11);
        }

        var y = Top;
        foreach (var group in groups)
        {
            canvas.Text(16, y + 20, group.Key, weight: "bold");
            y += GroupGap;
            foreach (var bar in group.OrderBy(bar => chart.Series.ToList().IndexOf(bar.Series)))
            {
                canvas.Text(Left - 8, y + 13, bar.Series, "end");
                canvas.Rectangle(Left, y, Math.Max(1, XOf(bar.Value) - Left), BarHeight, ChartColours.Of(bar.Series), $"{bar.Group}, {bar.Series}: {ChartScale.Format(bar.Value)}");
                canvas.Text(XOf(bar.Value) + 6, y + 13, ChartScale.Format(bar.Value), size: 11);
                y += BarPitch;
            }
        }

        return canvas.ToString();
    }
}
