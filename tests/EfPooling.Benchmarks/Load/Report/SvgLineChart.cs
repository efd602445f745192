namespace EfPooling.Benchmarks.Load.Report;

/// <summary>Lines over steps, with the names of the lines at the right.</summary>
internal static class SvgLineChart
{
    private const int Width = 820;
    private const int Height = 420;
    private const int Left = 80;
    private const int Right = 190;
    private const int Top = 48;
    private const int Bottom = 56;
    private const int LegendPitch = 22;

    public static string Draw(LineChart chart)
    {
        var canvas = new SvgCanvas(Width, Height, chart.Title);
        var scale = new ChartScale(chart.Lines.SelectMany(line => line.Values).DefaultIfEmpty(1).Max());
        double XOf(int step) => Left + ((Width - Left - Right) * (step + 0.5) / Math.Max(1, chart.Steps.Count));
        double YOf(double value) => Height - Bottom - ((Height - Top - Bottom) * value / scale.Top);

        foreach (var number in scale.Numbers)
        {
            canvas.Line(Left, YOf(number), Width - Right, YOf(number), "#d0d7de");
            canvas.Text(Left - 8, YOf(number) + 4, ChartScale.Format(number), "end", size: 11);
        }

        for (var i = 0; i < chart.Steps.Count; i++)
        {
            canvas.Text(XOf(i), Height - Bottom + 18, chart.Steps[i], "middle", size: 11);
        }

        canvas.Text((Left + Width - Right) / 2.0, Height - 14, chart.StepTitle, "middle");
        for (var i = 0; i < chart.Lines.Count; i++)
        {
            var line = chart.Lines[i];
            var colour = ChartColours.Of(line.Series);
            canvas.Polyline(line.Values.Select((value, step) => (XOf(step), YOf(value))), colour);
            for (var step = 0; step < line.Values.Count; step++)
            {
                canvas.Dot(XOf(step), YOf(line.Values[step]), colour, $"{line.Series}, {chart.Steps[step]}: {ChartScale.Format(line.Values[step])}");
            }

            var y = Top + (i * LegendPitch);
            canvas.Rectangle(Width - Right + 16, y, 12, 12, colour);
            canvas.Text(Width - Right + 34, y + 11, line.Series);
        }

        return canvas.ToString();
    }
}
