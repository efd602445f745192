using FsCheck;
using FsCheck.Fluent;

namespace EfPooling.Core.Tests;

public sealed class LoginBackoffTests
{
    private static readonly Exception Error = new InvalidOperationException("down");

    private static LoginBackoff Backoff(TimeSpan retry, Random random)
        => new(new PoolOptions { ServerLoginRetry = retry }, new PoolClock(new ManualTimeProvider()), random);

    [Fact]
    public void Pause_IsDoubledUpToTheLimit_WithinATenth()
    {
        var cases = from milliseconds in Gen.Choose(1, 10_000_000) from seed in Gen.Choose(0, int.MaxValue - 1) select (milliseconds, seed);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var retry = TimeSpan.FromMilliseconds(c.milliseconds);
            var backoff = Backoff(retry, new Random(c.seed));
            var expected = TimeSpan.FromMilliseconds(100);
            var now = 0L;
            for (var failure = 0; failure < 100; failure++)
            {
                var middle = expected < retry ? expected : retry;
                var pause = backoff.Failed(Error, isWanted: true, now);
                now += pause.Ticks;
                if (pause < middle * 0.9 || pause > middle * 1.1 || pause <= TimeSpan.Zero)
                {
                    return false;
                }

                expected = middle * 2;
            }

            return true;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void IsHolding_ExactlyDuringThePause()
    {
        var backoff = Backoff(TimeSpan.FromSeconds(15), new Random(7));
        Assert.False(backoff.IsHolding(1_000));
        var end = 1_000 + backoff.Failed(Error, isWanted: true, 1_000).Ticks;
        Assert.True(backoff.IsHolding(1_000));
        Assert.True(backoff.IsHolding(end - 1));
        Assert.False(backoff.IsHolding(end));
    }

    [Fact]
    public void IsHoldingCallers_LessThanASecond_HoweverOftenItFailed()
    {
        var backoff = Backoff(TimeSpan.FromHours(1), new Random(7));
        for (var now = 0L; now < TimeSpan.FromMinutes(1).Ticks; now += TimeSpan.TicksPerSecond)
        {
            Assert.False(backoff.IsHoldingCallers(now));
            backoff.Failed(Error, isWanted: true, now);
            Assert.True(backoff.IsHoldingCallers(now));
            Assert.False(backoff.IsHoldingCallers(now + backoff.LeftForCallers(now).Ticks));
        }

        Assert.True(backoff.IsHolding(TimeSpan.FromMinutes(2).Ticks));
    }

    [Fact]
    public void EndPauseForCallers_LeavesTheRestForAttemptsThatNobodyAsksFor()
    {
        var backoff = Backoff(TimeSpan.FromSeconds(15), new Random(7));
        var pause = backoff.Failed(Error, isWanted: true, 0);
        Assert.Equal(pause - TimeSpan.FromTicks(1_000), backoff.EndPauseForCallers(1_000));
        Assert.False(backoff.IsHoldingCallers(1_000));
        Assert.True(backoff.IsHolding(1_000));
        Assert.Null(backoff.EndPauseForCallers(pause.Ticks));
    }

    [Fact]
    public void Failed_DuringThePause_ReturnsWhatIsLeftOfIt()
    {
        var backoff = Backoff(TimeSpan.FromSeconds(15), new Random(7));
        var pause = backoff.Failed(Error, isWanted: true, 0);
        var later = new InvalidOperationException("still down");
        Assert.Equal(pause - TimeSpan.FromTicks(1_000), backoff.Failed(later, isWanted: true, 1_000));
        Assert.Same(later, backoff.LastError);
    }

    [Fact]
    public void EndPause_StopsHolding_ButGoesOnCounting()
    {
        var backoff = Backoff(TimeSpan.FromSeconds(15), new Random(7));
        backoff.Failed(Error, isWanted: true, 0);
        backoff.EndPause();
        Assert.False(backoff.IsHolding(1));
        Assert.Same(Error, backoff.LastError);
        Assert.True(backoff.Failed(Error, isWanted: true, 0) >= TimeSpan.FromMilliseconds(180));
    }

    [Fact]
    public void Reset_ForgetsEverything()
    {
        var backoff = Backoff(TimeSpan.FromSeconds(15), new Random(7));
        backoff.Failed(Error, isWanted: true, 0);
        backoff.Reset();
        Assert.False(backoff.IsHolding(1));
        Assert.Null(backoff.LastError);
        Assert.True(backoff.Failed(Error, isWanted: true, 0) <= TimeSpan.FromMilliseconds(110));
    }
}
