using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

/// <summary>Synchronous callers depend on no thread of the thread pool: their own calls may be blocking them all.</summary>
[Collection(nameof(ThreadPoolStarvationTests))]
public sealed class ThreadPoolStarvationTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task SyncCallers_WithEveryPoolThreadBlocked_GetConnections()
        => await BlockedThreadPool.Run(() =>
        {
            var pool = new ServerConnectionPool<FakeConnection>(new PoolOptions { MaxPoolSize = 2, QueryWaitTimeout = TimeSpan.Zero }, new ThreadedConnector());
            var callers = Enumerable.Range(0, 6).Select(_ => new Thread(() =>
            {
                for (var i = 0; i < 50; i++)
                {
                    pool.Acquire().Release();
                }
            })).ToList();
            callers.ForEach(caller => caller.Start());
            callers.ForEach(caller => caller.Join());
            Assert.Equal(300, pool.GetSnapshot().LeasesGranted);
        });

    [Fact]
    public async Task SyncCallers_WithEveryPoolThreadBlocked_TimeOut()
        => await BlockedThreadPool.Run(() =>
        {
            var pool = new ServerConnectionPool<FakeConnection>(new PoolOptions { MaxPoolSize = 1, QueryWaitTimeout = Short }, new FakeConnector());
            var lease = pool.Acquire();
            Assert.Throws<QueryWaitTimeoutException>(() => pool.Acquire());
            lease.Release();
        });

    [Fact]
    public async Task SyncCallers_WithEveryPoolThreadBlocked_GetTheServersError()
        => await BlockedThreadPool.Run(() =>
        {
            var down = new InvalidOperationException("down");
            var pool = new ServerConnectionPool<FakeConnection>(new PoolOptions(), new ThreadedConnector(down));
            Assert.Same(down, Record.Exception(() => pool.Acquire()));
        });

    [Fact]
    public async Task SyncCallers_WithEveryPoolThreadBlocked_AreCancelled()
        => await BlockedThreadPool.Run(() =>
        {
            using var cancellation = new CancellationTokenSource();
            using var held = new HeldOpens();
            var pool = new ServerConnectionPool<FakeConnection>(new PoolOptions(), held);
            var canceller = new Thread(() =>
            {
                held.Started.Wait();
                cancellation.Cancel();
            });
            canceller.Start();
            Assert.ThrowsAny<OperationCanceledException>(() => pool.Acquire(null, cancellation.Token));
            canceller.Join();
        });

    [Fact]
    public async Task SyncCallers_WithEveryPoolThreadBlocked_GetTheReserve()
        => await BlockedThreadPool.Run(() =>
        {
            var options = new PoolOptions { MaxPoolSize = 1, ReservePoolSize = 1, ReservePoolTimeout = Short, QueryWaitTimeout = TimeSpan.FromSeconds(5) };
            var pool = new ServerConnectionPool<FakeConnection>(options, new FakeConnector());
            var lease = pool.Acquire();
            pool.Acquire().Release();
            lease.Release();
        });

    /// <summary>Opens on a thread of its own.</summary>
    private sealed class ThreadedConnector(Exception? error = null) : IServerConnector<FakeConnection>
    {
        public Task<FakeConnection> OpenAsync(CancellationToken cancellationToken)
        {
            var outcome = new TaskCompletionSource<FakeConnection>();
            new Thread(() =>
            {
                if (error is null)
                {
                    outcome.SetResult(new FakeConnection(1));
                }
                else
                {
                    outcome.SetException(error);
                }
            }).Start();
            return outcome.Task;
        }

        public Task<bool> IsAliveAsync(FakeConnection connection) => Task.FromResult(true);

        public Task<bool> IsAliveOnThreadAsync(FakeConnection connection) => Task.FromResult(true);

        public Task CloseAsync(FakeConnection connection)
        {
            connection.Close();
            return Task.CompletedTask;
        }
    }

    /// <summary>Never opens.</summary>
    private sealed class HeldOpens : IServerConnector<FakeConnection>, IDisposable
    {
        public ManualResetEventSlim Started { get; } = new();

        public Task<FakeConnection> OpenAsync(CancellationToken cancellationToken)
        {
            Started.Set();
            return new TaskCompletionSource<FakeConnection>().Task;
        }

        public Task<bool> IsAliveAsync(FakeConnection connection) => Task.FromResult(true);

        public Task<bool> IsAliveOnThreadAsync(FakeConnection connection) => Task.FromResult(true);

        public Task CloseAsync(FakeConnection connection)
        {
            connection.Close();
            return Task.CompletedTask;
        }

        public void Dispose() => Started.Dispose();
    }
}

/// <summary>Alone in the process: it takes the thread pool away from everybody.</summary>
[CollectionDefinition(nameof(ThreadPoolStarvationTests), DisableParallelization = true)]
public sealed class ThreadPoolStarvationSetting;
