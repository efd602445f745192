namespace EfPooling.Core;

/// <summary>What happened in a pool since it was created. Part of <see cref="PoolLedger{T}"/>, guarded by the gate.</summary>
internal sealed class PoolCounters
{
    public long LeasesGranted { get; set; }

    public long Waits { get; set; }

    public long WaitTimeouts { get; set; }

    public long Opened { get; set; }

    public long OpenFailures { get; set; }

    /// <summary>By <see cref="RetireReason"/>.</summary>
    public long[] Retired { get; } = new long[Enum.GetValues<RetireReason>().Length];
}
