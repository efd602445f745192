using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>
/// What a pool knows of one SQL text: whether it may board, what a turn of it costs, and how it does alone. Thread-safe: the averages are no
/// more than guesses, so a lost update does no harm.
/// </summary>
/// <param name="judgement">Of the pool's catalog; <c>null</c> if it is not about one text.</param>
/// <param name="isPureRead">It may run again elsewhere.</param>
internal sealed class BoardingRecord(Judgement? judgement, bool isPureRead)
{
    /// <summary>A text that takes longer than this on average, the server or whoever reads, holds up the others too much.</summary>
    public static readonly TimeSpan CostLimit = TimeSpan.FromMilliseconds(5);

    private const int Weight = 16; // of the past against the latest turn
    private const int WorstSample = 2; // times the limit: the average passes the limit only if every other turn is slow, so that a busy machine bars nobody
    private const int WeightOfFailure = 4; // of the past against a failure, which no busy machine can feign
    private const int MostTrouble = 1024;
    private static readonly TimeSpan FirstBar = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBar = TimeSpan.FromMinutes(1);

    private long _cost; // Volatile: ticks, moving average of turns, and of the server's time for a train with it
    private long _trouble; // Volatile: moving average of the runs alone that failed or were slow
    private long _barredUntil; // Volatile: ticks of the station's clock
    private long _bar; // Volatile: ticks, how long the latest bar is
    private volatile bool _hasWritten;

    public Judgement? Judgement => judgement;

    public bool MayBoard(long now) => isPureRead && !_hasWritten && now >= Volatile.Read(ref _barredUntil);

    /// <param name="duration">How long the server or a turn took for it, in ticks.</param>
    /// <param name="now">In ticks.</param>
    /// <returns>Whether the text has lost the right to board, for a time.</returns>
    public bool OnServed(long duration, long now)
    {
        var limit = CostLimit.Ticks;
        var cost = Volatile.Read(ref _cost);
        cost += (Math.Min(duration, WorstSample * limit) - cost) / Weight;
        var isBarred = cost > limit;
        Volatile.Write(ref _cost, isBarred ? limit / 2 : cost); // A fresh chance afterwards, with less patience.
        return isBarred && Bar(now);
    }

    /// <param name="hasFailed">It would have ended its train.</param>
    /// <param name="isSlow">It would have held up its train.</param>
    /// <param name="now">In ticks.</param>
    /// <returns>Whether the text has lost the right to board, for a time.</returns>
    public bool OnRanAlone(bool hasFailed, bool isSlow, long now)
    {
        var trouble = Volatile.Read(ref _trouble);
        trouble += ((hasFailed || isSlow ? MostTrouble : 0) - trouble) / (hasFailed ? WeightOfFailure : Weight);
        var isBarred = trouble > MostTrouble / 2;
        Volatile.Write(ref _trouble, isBarred ? MostTrouble / 4 : trouble);
        return isBarred && Bar(now);
    }

    /// <summary>It tried to write, whatever the catalog says.</summary>
    /// <returns>Whether the text has lost the right to board by that, for good.</returns>
    public bool OnWrite()
    {
        var isFirst = !_hasWritten;
        _hasWritten = true;
        return isFirst;
    }

    // False: it is barred already, which those who boarded before learn one after the other.
    private bool Bar(long now)
    {
        if (now < Volatile.Read(ref _barredUntil))
        {
            return false;
        }

        var isOld = now - Volatile.Read(ref _barredUntil) > LongestBar.Ticks;
        var bar = isOld ? FirstBar.Ticks : Math.Clamp(2 * Volatile.Read(ref _bar), FirstBar.Ticks, LongestBar.Ticks);
        Volatile.Write(ref _bar, bar);
        Volatile.Write(ref _barredUntil, now + bar);
        return true;
    }
}
