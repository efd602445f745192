namespace EfPooling.AdoNet;

/// <summary>What becomes <see cref="TrainStatistics"/>. Thread-safe.</summary>
internal sealed class TrainCounters
{
    private readonly long[] _setDowns = new long[Enum.GetValues<SetDownReason>().Length]; // Interlocked only
    private long _trains; // Interlocked only
    private long _passengers; // Interlocked only
    private long _barred; // Interlocked only
    private int _longest; // Interlocked only

    public void CountTrain(int length)
    {
        Interlocked.Increment(ref _trains);
        Interlocked.Add(ref _passengers, length);
        for (var longest = Volatile.Read(ref _longest); length > longest;)
        {
            longest = Interlocked.CompareExchange(ref _longest, length, longest) is var seen && seen == longest ? length : seen;
        }
    }

    public void CountSetDown(SetDownReason reason) => Interlocked.Increment(ref _setDowns[(int)reason]);

    public void CountBarred() => Interlocked.Increment(ref _barred);

    public TrainStatistics ToStatistics()
        => new(
            Interlocked.Read(ref _trains),
            Interlocked.Read(ref _passengers),
            Volatile.Read(ref _longest),
            Enum.GetValues<SetDownReason>().ToDictionary(reason => reason, reason => Interlocked.Read(ref _setDowns[(int)reason])),
            Interlocked.Read(ref _barred));
}
