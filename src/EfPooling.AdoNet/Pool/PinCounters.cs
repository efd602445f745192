namespace EfPooling.AdoNet;

/// <summary>How often connections were pinned, by reason. Thread-safe.</summary>
internal sealed class PinCounters
{
    private readonly long[] _counts = new long[Enum.GetValues<PinReason>().Length]; // Interlocked only

    public void Count(PinReason reason) => Interlocked.Increment(ref _counts[(int)reason]);

    public Dictionary<PinReason, long> ToDictionary()
        => Enum.GetValues<PinReason>()
            .Select(reason => KeyValuePair.Create(reason, Interlocked.Read(ref _counts[(int)reason])))
            .Where(count => count.Value > 0)
            .ToDictionary();
}
