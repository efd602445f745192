using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

internal static class ExhaustedPool
{
    /// <summary>Lets the time of a caller pass who waits for a server connection.</summary>
    public static async Task<QueryWaitTimeoutException> TimesOutAsync(this ManualTimeProvider time, Func<Task> wait)
    {
        var begins = time.NextTimer();
        var waiting = wait();
        await begins;
        time.Advance(new PoolOptions().QueryWaitTimeout);
        return await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => waiting);
    }
}
