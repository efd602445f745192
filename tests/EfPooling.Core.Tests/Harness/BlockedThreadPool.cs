namespace EfPooling.Core.Tests.Harness;

/// <summary>Runs a body on a thread of its own while every thread of the thread pool is blocked, and makes sure that they were.</summary>
internal static class BlockedThreadPool
{
    public static async Task Run(Action body)
    {
        ThreadPool.GetMinThreads(out var minWorkers, out var minIo);
        ThreadPool.GetMaxThreads(out var maxWorkers, out var maxIo);
        var threads = Math.Max(minWorkers, ThreadPool.ThreadCount) + 2;
        var release = new ManualResetEventSlim(); // Not disposed: the blocked threads leave it some time after the end.
        var probeRan = false;
        await DedicatedThread.Run(() =>
        {
            try
            {
                Assert.True(ThreadPool.SetMinThreads(threads, minIo));
                Assert.True(ThreadPool.SetMaxThreads(threads, maxIo));

                // More than there are threads, some of which the test runner occupies: whichever becomes idle takes the next.
                for (var i = 0; i < threads * 2; i++)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(_ => release.Wait(), null);
                }

                SpinWait.SpinUntil(() => ThreadPool.ThreadCount >= threads && ThreadPool.PendingWorkItemCount > 0);
                ThreadPool.UnsafeQueueUserWorkItem(_ => Volatile.Write(ref probeRan, true), null);
                body();
                Assert.False(Volatile.Read(ref probeRan), "A thread of the thread pool was free.");
            }
            finally
            {
                release.Set();
                ThreadPool.SetMaxThreads(maxWorkers, maxIo);
                ThreadPool.SetMinThreads(minWorkers, minIo);
            }
        });
    }
}
