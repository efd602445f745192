using System.Runtime.ExceptionServices;

namespace EfPooling.Core;

/// <summary>
/// Holds opens off after a failure: 100 ms, doubling with each failure in a row up to ServerLoginRetry, plus or minus a random
/// tenth. An open for a caller is held off for less than a second. Attempts that fail during the pause were under way before it;
/// together with the first failure they count as one. Guarded by the gate.
/// </summary>
internal sealed class LoginBackoff(PoolOptions options, PoolClock clock, Random random)
{
    /// <summary>While callers ask, an attempt begins at most that long after the previous one.</summary>
    public static readonly TimeSpan LongestForCallers = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private int _failures;
    private long _until;
    private long _untilForCallers;

    /// <summary>The latest failure since the last success.</summary>
    public Exception? LastError => LastFailure?.SourceException;

    /// <summary>The same failure. It can be thrown to any number of callers without its stack trace growing each time.</summary>
    public ExceptionDispatchInfo? LastFailure { get; private set; }

    /// <summary>Whether opens without a waiting caller are held off.</summary>
    public bool IsHolding(long now) => LastFailure is not null && now < _until;

    /// <summary>Whether opens for a waiting caller are held off.</summary>
    public bool IsHoldingCallers(long now) => LastFailure is not null && now < _untilForCallers;

    /// <param name="error">Why it failed.</param>
    /// <param name="isWanted">Whether a caller waits. If not, callers are not held off: an open that failed without a caller may work for the next one.</param>
    /// <param name="now">By the clock.</param>
    /// <returns>How long opens without a waiting caller are held off; see <see cref="LeftForCallers"/>.</returns>
    public TimeSpan Failed(Exception error, bool isWanted, long now)
    {
        var wasHolding = isWanted ? IsHoldingCallers(now) : IsHolding(now);
        LastFailure = ExceptionDispatchInfo.Capture(error);
        if (wasHolding)
        {
            return clock.Between(now, _until); // This attempt was under way when another one failed: one outage, counted once.
        }

        var pause = TimeSpan.FromTicks(First.Ticks << Math.Min(_failures++, 24));
        pause = (pause < options.ServerLoginRetry ? pause : options.ServerLoginRetry) * (0.9 + (0.2 * random.NextDouble()));
        _until = now + Math.Max(1, clock.Length(pause));
        if (!isWanted)
        {
            return pause;
        }

        var callers = LongestForCallers * (0.8 + (0.2 * random.NextDouble()));
        _untilForCallers = Math.Min(_until, now + clock.Length(callers));
        return pause;
    }

    /// <summary>How long opens for a waiting caller are held off.</summary>
    public TimeSpan LeftForCallers(long now) => clock.Between(now, Math.Max(now, _untilForCallers));

    /// <summary>Ends the pause for callers. The failure is remembered until an open succeeds.</summary>
    /// <returns>What is left of the pause for opens without a waiting caller; <c>null</c> if it is over too.</returns>
    public TimeSpan? EndPauseForCallers(long now)
    {
        _untilForCallers = 0;
        return IsHolding(now) ? clock.Between(now, _until) : null;
    }

    /// <summary>Ends the pause for all opens.</summary>
    public void EndPause() => (_until, _untilForCallers) = (0, 0);

    public void Reset()
    {
        _failures = 0;
        LastFailure = null;
        EndPause();
    }
}
