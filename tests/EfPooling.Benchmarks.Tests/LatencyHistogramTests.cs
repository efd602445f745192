using EfPooling.Benchmarks.Load.Measuring;

namespace EfPooling.Benchmarks.Tests;

public sealed class LatencyHistogramTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.95)]
    [InlineData(0.99)]
    public void Quantile_IsRightToOnePercent(double share)
    {
        var random = new Random(1);
        var latencies = Enumerable.Range(0, 10_000).Select(_ => TimeSpan.FromMicroseconds(Math.Exp(random.NextDouble() * 15))).Order().ToList();
        var histogram = new LatencyHistogram();
        latencies.ForEach(histogram.Record);

        var exact = latencies[(int)Math.Ceiling(latencies.Count * share) - 1];

        Assert.InRange(histogram.Quantile(share) / exact, 0.999, 1.011);
    }

    [Fact]
    public void Quantile_IsNeverMoreThanTheMaximum()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromMilliseconds(7.3));

        Assert.Equal(TimeSpan.FromMilliseconds(7.3), histogram.Quantile(0.99));
    }

    [Fact]
    public void Quantile_OfNothing_IsZero() => Assert.Equal(TimeSpan.Zero, new LatencyHistogram().Quantile(0.5));

    [Fact]
    public void Add_CountsAsIfOneHistogramHadRecordedAll()
    {
        var (first, second, both) = (new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram());
        for (var i = 1; i <= 1_000; i++)
        {
            var latency = TimeSpan.FromMicroseconds(i * i);
            (i % 3 == 0 ? first : second).Record(latency);
            both.Record(latency);
        }

        first.Add(second);

        Assert.Equal((both.Count, both.Max, both.Quantile(0.5), both.Quantile(0.99)), (first.Count, first.Max, first.Quantile(0.5), first.Quantile(0.99)));
    }

    [Fact]
    public void Record_TakesWhatIsLongerThanTheLastBucket()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromDays(1));

        Assert.Equal((1, TimeSpan.FromDays(1)), (histogram.Count, histogram.Max));
    }
}
