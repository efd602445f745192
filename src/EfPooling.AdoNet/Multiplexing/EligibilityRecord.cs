using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>
/// What a pool knows of one SQL text: whether it may share round trips, the cost of its result, and its success on a server
/// connection of its own. Thread-safe: the averages are only estimates, so a lost update does no harm.
/// </summary>
/// <param name="judgement">The judgement of the pool's catalog; <c>null</c> if the record is not about one text.</param>
/// <param name="isPureRead">Whether it may run again elsewhere.</param>
internal sealed class EligibilityRecord(Judgement? judgement, bool isPureRead)
{
    /// <summary>
    /// A text that takes longer than this on average, on the server or while its result is read, delays the others too much.
    /// </summary>
    public static readonly TimeSpan CostLimit = TimeSpan.FromMilliseconds(5);

    private const int Weight = 16; // of the past against the latest sample
    private const int WorstSample = 2; // times the limit: the average passes the limit only if every other sample is slow, so a busy machine suspends no text
    private const int WeightOfFailure = 4; // of the past against a failure, which a busy machine cannot cause
    private const int MostTrouble = 1024;
    private static readonly TimeSpan FirstSuspension = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestSuspension = TimeSpan.FromMinutes(1);

    private long _cost; // Volatile: ticks, moving average of result slots, and of the server's time for a batch with it
    private long _trouble; // Volatile: moving average of the solo runs that failed or were slow
    private long _suspendedUntil; // Volatile: ticks of the multiplexer's clock
    private long _suspension; // Volatile: ticks, the length of the latest suspension
    private volatile bool _hasWritten;

    public Judgement? Judgement => judgement;

    public bool MayShare(long now) => isPureRead && !_hasWritten && now >= Volatile.Read(ref _suspendedUntil);

    /// <param name="duration">The time of the server or the result slot, in ticks.</param>
    /// <param name="now">In ticks.</param>
    /// <returns>Whether the text is suspended now.</returns>
    public bool OnServed(long duration, long now)
    {
        var limit = CostLimit.Ticks;
        var cost = Volatile.Read(ref _cost);
        cost += (Math.Min(duration, WorstSample * limit) - cost) / Weight;
        var isSuspended = cost > limit;
        Volatile.Write(ref _cost, isSuspended ? limit / 2 : cost); // A new chance afterwards, with less patience.
        return isSuspended && Suspend(now);
    }

    /// <param name="hasFailed">Whether it would have ended its batch.</param>
    /// <param name="isSlow">Whether it would have delayed its batch.</param>
    /// <param name="now">In ticks.</param>
    /// <returns>Whether the text is suspended now.</returns>
    public bool OnRanSolo(bool hasFailed, bool isSlow, long now)
    {
        var trouble = Volatile.Read(ref _trouble);
        trouble += ((hasFailed || isSlow ? MostTrouble : 0) - trouble) / (hasFailed ? WeightOfFailure : Weight);
        var isSuspended = trouble > MostTrouble / 2;
        Volatile.Write(ref _trouble, isSuspended ? MostTrouble / 4 : trouble);
        return isSuspended && Suspend(now);
    }

    /// <summary>It tried to write, contrary to the catalog.</summary>
    /// <returns>Whether the text has just become ineligible, for good.</returns>
    public bool OnWrite()
    {
        var isFirst = !_hasWritten;
        _hasWritten = true;
        return isFirst;
    }

    // False if it is suspended already. Reads that were sent before report the same cause one after the other.
    private bool Suspend(long now)
    {
        if (now < Volatile.Read(ref _suspendedUntil))
        {
            return false;
        }

        var isOld = now - Volatile.Read(ref _suspendedUntil) > LongestSuspension.Ticks;
        var suspension = isOld ? FirstSuspension.Ticks : Math.Clamp(2 * Volatile.Read(ref _suspension), FirstSuspension.Ticks, LongestSuspension.Ticks);
        Volatile.Write(ref _suspension, suspension);
        Volatile.Write(ref _suspendedUntil, now + suspension);
        return true;
    }
}
