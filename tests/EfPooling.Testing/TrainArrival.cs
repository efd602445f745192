using EfPooling.AdoNet;

namespace EfPooling.Testing;

/// <summary>Linked into the test projects that look at pools.</summary>
internal static class TrainArrival
{
    /// <summary>A train may end a moment after its last passenger, if others have left it or were set down. Nothing else ends later than its caller.</summary>
    public static void WaitForTrains(this TransactionPoolingDataSource pool)
        => SpinWait.SpinUntil(() => pool.GetTrains().Trains == 0 || pool.GetSnapshot() is { Leased: 0, Waiting: 0 });
}
