namespace EfPooling.AdoNet;

/// <summary>Collects the numbers of <see cref="MultiplexingStatistics"/>. Thread-safe.</summary>
internal sealed class MultiplexingCounters
{
    private readonly long[] _requeued = new long[Enum.GetValues<RequeueReason>().Length]; // Interlocked only
    private long _batches; // Interlocked only
    private long _reads; // Interlocked only
    private long _suspended; // Interlocked only
    private int _longest; // Interlocked only

    public void CountBatch(int length)
    {
        Interlocked.Increment(ref _batches);
        Interlocked.Add(ref _reads, length);
        for (var longest = Volatile.Read(ref _longest); length > longest;)
        {
            longest = Interlocked.CompareExchange(ref _longest, length, longest) is var seen && seen == longest ? length : seen;
        }
    }

    public void CountRequeued(RequeueReason reason) => Interlocked.Increment(ref _requeued[(int)reason]);

    public void CountSuspended() => Interlocked.Increment(ref _suspended);

    public MultiplexingStatistics ToStatistics()
        => new(
            Interlocked.Read(ref _batches),
            Interlocked.Read(ref _reads),
            Volatile.Read(ref _longest),
            Enum.GetValues<RequeueReason>().ToDictionary(reason => reason, reason => Interlocked.Read(ref _requeued[(int)reason])),
            Interlocked.Read(ref _suspended));
}
