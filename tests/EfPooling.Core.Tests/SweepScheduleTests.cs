namespace EfPooling.Core.Tests;

public sealed class SweepScheduleTests
{
    [Theory]
    [InlineData(3600, 3600, 30_000)]
    [InlineData(0, 0, 30_000)]
    [InlineData(80, 3600, 10_000)]
    [InlineData(0, 40, 5_000)]
    [InlineData(1, 1, 250)]
    public void Period_IsAnEighthOfTheShortestLimit_Within250MillisecondsAnd30Seconds(int lifetime, int idle, int milliseconds)
    {
        var options = new PoolOptions { ServerLifetime = TimeSpan.FromSeconds(lifetime), ServerIdleTimeout = TimeSpan.FromSeconds(idle) };
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), SweepSchedule.Period(options));
    }
}
