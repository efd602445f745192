using System.Runtime.ExceptionServices;

namespace EfPooling.Core;

/// <summary>
/// Holds opens off after a failure: 100 ms, doubling with each failure in a row up to ServerLoginRetry, a random tenth either way. An open that a caller asks for
/// is held off for less than a second.
/// Attempts that fail during the pause were under way before it and count as one with the first.
/// Guarded by the gate.
/// </summary>
internal sealed class LoginBackoff(PoolOptions options, PoolClock clock, Random random)
{
    /// <summary>While callers come, an attempt begins at most that long after the last one.</summary>
    public static readonly TimeSpan LongestForCallers = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private int _failures;
    private long _until;
    private long _untilForCallers;

    /// <summary>The latest failure since the last success.</summary>
    public Exception? LastError => LastFailure?.SourceException;

    /// <summary>The same, to be thrown to any number of callers without its stack trace growing each time.</summary>
    public ExceptionDispatchInfo? LastFailure { get; private set; }

    /// <summary>Whether opens that nobody asks for are held off.</summary>
    public bool IsHolding(long now) => LastFailure is not null && now < _until;

    /// <summary>Whether opens that a caller asks for are held off.</summary>
    public bool IsHoldingCallers(long now) => LastFailure is not null && now < _untilForCallers;

    /// <param name="error">Why it failed.</param>
    /// <param name="isWanted">Somebody waits. Otherwise callers are not held off: what failed while nobody asked may work when somebody does.</param>
    /// <param name="now">By the clock.</param>
    /// <returns>How long opens that nobody asks for are held off; see <see cref="LeftForCallers"/>.</returns>
    public TimeSpan Failed(Exception error, bool isWanted, long now)
    {
        var wasHolding = isWanted ? IsHoldingCallers(now) : IsHolding(now);
        LastFailure = ExceptionDispatchInfo.Capture(error);
        if (wasHolding)
        {
            return clock.Between(now, _until); // It was under way when another failed: one outage, counted once.
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

    /// <summary>How long opens that a caller asks for are held off.</summary>
    public TimeSpan LeftForCallers(long now) => clock.Between(now, Math.Max(now, _untilForCallers));

    /// <summary>The pause for callers is over; what failed is remembered until an open succeeds.</summary>
    /// <returns>What is left of the pause for opens that nobody asks for; <c>null</c>: it is over too.</returns>
    public TimeSpan? EndPauseForCallers(long now)
    {
        _untilForCallers = 0;
        return IsHolding(now) ? clock.Between(now, _until) : null;
    }

    /// <summary>The pause is over for everybody.</summary>
    public void EndPause() => (_until, _untilForCallers) = (0, 0);

    public void Reset()
    {
        _failures = 0;
        LastFailure = null;
        EndPause();
    }
}
