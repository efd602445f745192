using System.Xml.Linq;
using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Tests;

public sealed class SvgChartsTests
{
    [Fact]
    public void BarChart_HasABarForEachValue_AndLongerOnesForMore()
    {
        var chart = new BarChart("name", "a < b", ["pgbouncer", "efpooling"], [new("ado", "pgbouncer", 20_000), new("ado", "efpooling", 80_000)]);

        var bars = XDocument.Parse(SvgCharts.Draw(chart)).Descendants()
            .Where(element => element.Name.LocalName == "rect" && element.HasElements)
            .Select(bar => (double)bar.Attribute("width")!)
            .ToList();

        Assert.Equal(2, bars.Count);
        Assert.Equal(4, bars[1] / bars[0], 1);
    }

    [Fact]
    public void LineChart_HasALineForEachPeer()
    {
        var chart = new LineChart("name", "title", "connections", ["1", "2"], [new("pgbouncer", [1, 2]), new("efpooling", [2, 5])]);

        var lines = XDocument.Parse(SvgCharts.Draw(chart)).Descendants().Where(element => element.Name.LocalName == "polyline");

        Assert.Equal(2, lines.Count());
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(7.2, 8)]
    [InlineData(83_000, 100_000)]
    [InlineData(512, 600)]
    public void Scale_EndsAtARoundNumberThatFits(double max, double top)
    {
        var scale = new ChartScale(max);

        Assert.Equal(top, scale.Top, 6);
        Assert.Equal(scale.Top, scale.Numbers.Last(), 6);
    }
}
