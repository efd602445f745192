using EfPooling.AdoNet;

namespace EfPooling.Testing;

/// <summary>Linked into the test projects that look at pools.</summary>
internal static class BatchCompletion
{
    /// <summary>A read batch may end a moment after its last batched read, if others have left it or were requeued. Nothing else ends later than its caller.</summary>
    public static void WaitForBatches(this TransactionPoolingDataSource pool)
        => SpinWait.SpinUntil(() => pool.GetMultiplexingStatistics().Batches == 0 || pool.GetSnapshot() is { InUse: 0, Waiting: 0 });
}
