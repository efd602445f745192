using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Tests;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(new[] { 3.0 }, 3.0)]
    [InlineData(new[] { 9.0, 1.0, 2.0 }, 2.0)]
    [InlineData(new[] { 4.0, 1.0, 2.0, 8.0 }, 3.0)]
    public void Median_IsTheOneInTheMiddle(double[] values, double median) => Assert.Equal(median, Statistics.Median(values));

    [Fact]
    public void GeometricMean_OfTwiceAndHalf_IsOne() => Assert.Equal(1.0, Statistics.GeometricMean([2.0, 0.5]), 12);
}
