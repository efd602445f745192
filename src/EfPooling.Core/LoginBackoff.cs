using System.Runtime.ExceptionServices;

namespace EfPooling.Core;

/// <summary>
/// Holds opens off after a failure: 100 ms, doubling with each failure in a row up to ServerLoginRetry, a random tenth either way.
/// Attempts that fail during the pause were under way before it and count as one with the first.
/// Guarded by the gate.
/// </summary>
internal sealed class LoginBackoff(PoolOptions options, PoolClock clock, Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private int _failures;
    private long _until;

    /// <summary>The latest failure since the last success.</summary>
    public Exception? LastError => LastFailure?.SourceException;

    /// <summary>The same, to be thrown to any number of callers without its stack trace growing each time.</summary>
    public ExceptionDispatchInfo? LastFailure { get; private set; }

    public bool IsHolding(long now) => LastFailure is not null && now < _until;

    /// <returns>How long opens are held off.</returns>
    public TimeSpan Failed(Exception error, long now)
    {
        var wasHolding = IsHolding(now);
        LastFailure = ExceptionDispatchInfo.Capture(error);
        if (wasHolding)
        {
            return clock.Between(now, _until); // It was under way when another failed: one outage, counted once.
        }

        var pause = TimeSpan.FromTicks(First.Ticks << Math.Min(_failures++, 24));
        pause = (pause < options.ServerLoginRetry ? pause : options.ServerLoginRetry) * (0.9 + (0.2 * random.NextDouble()));
        _until = now + Math.Max(1, clock.Length(pause));
        return pause;
    }

    /// <summary>The pause is over; what failed is remembered until an open succeeds.</summary>
    public void EndPause() => _until = 0;

    public void Reset()
    {
        _failures = 0;
        _until = 0;
        LastFailure = null;
    }
}
