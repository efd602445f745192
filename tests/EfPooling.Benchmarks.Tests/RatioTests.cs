using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Tests;

public sealed class RatioTests
{
    [Fact]
    public void Ratio_IsALineForScripts()
        => Assert.Equal("RATIO far-1ms/ado efpooling/npgsql-no-reset 4.125", new Ratio("far-1ms", "ado", "npgsql-no-reset", 4.125).ToString());

    [Fact]
    public void Of_DividesOursByEveryOther()
    {
        var ratios = Ratio.Of("pages", "ef", [("npgsql-default", 2.0), ("pgbouncer", 4.0), ("efpooling", 6.0)]);

        Assert.Equal(["RATIO pages/ef efpooling/npgsql-default 3.000", "RATIO pages/ef efpooling/pgbouncer 1.500"], ratios.Select(ratio => ratio.ToString()));
    }

    [Fact]
    public void Of_LeavesOutAPeerThatDidNothing()
        => Assert.Empty(Ratio.Of("held", "ado", [("npgsql-default", 0.0), ("efpooling", 6.0)]));

    [Fact]
    public void Of_IsEmptyWithoutUs()
        => Assert.Empty(Ratio.Of("held", "ado", [("npgsql-default", 1.0), ("pgbouncer", 6.0)]));
}
