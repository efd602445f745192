using System.Diagnostics.CodeAnalysis;

namespace EfPooling.Core.Tests.Harness;

/// <summary>
/// A pool with a connector and a clock that the test controls. Unless the test says otherwise nothing may be left over at the end:
/// no lease, no waiter, no broken invariant, and every server connection is closed exactly once.
/// </summary>
internal sealed class PoolHarness : IDisposable
{
    private readonly List<Lease<FakeConnection>> _occupied = [];

    private PoolHarness(PoolOptions options, Random random)
        => Pool = new ServerConnectionPool<FakeConnection>(options, Connector, Time, Logger, random);

    public FakeConnector Connector { get; } = new();

    public ManualTimeProvider Time { get; } = new();

    public RecordingLogger Logger { get; } = new();

    public ServerConnectionPool<FakeConnection> Pool { get; }

    public PoolSnapshot Snapshot => Pool.GetSnapshot();

    /// <summary>How many leases the test leaves out on purpose.</summary>
    public int LeasesLeftOut { get; set; }

    /// <param name="configure">Changes the defaults: two connections, four opens at a time.</param>
    /// <param name="random">Source of jitter; by default the middle of each range.</param>
    public static PoolHarness Create(Action<PoolOptions>? configure = null, Random? random = null)
    {
        var options = new PoolOptions { Name = "orders", MaxPoolSize = 2 };
        configure?.Invoke(options);
        return new PoolHarness(options, random ?? new MiddleRandom());
    }

    /// <summary>Starts a call and returns when it waits or has ended.</summary>
    public Task<Lease<FakeConnection>> Acquire(CallerKind kind, ILeaseHolder? holder = null, CancellationToken cancellationToken = default)
    {
        if (kind == CallerKind.Async)
        {
            return Pool.AcquireAsync(holder, cancellationToken).AsTask();
        }

        var waits = Time.NextTimer();
        var call = DedicatedThread.Run(() => Pool.Acquire(holder, cancellationToken));
        Task.WaitAny([waits, call], CancellationToken.None);
        return call;
    }

    /// <summary>Acquires without waiting.</summary>
    public Lease<FakeConnection> Acquire()
    {
        var lease = Pool.AcquireAsync();
        Assert.True(lease.IsCompleted, "The caller had to wait.");
        return lease.AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Acquires all that can be had and keeps it for <see cref="Vacate"/>.</summary>
    public PoolHarness Occupy(int count)
    {
        var calls = Enumerable.Range(0, count).Select(_ => Pool.AcquireAsync().AsTask()).ToList();
        foreach (var call in calls)
        {
            _occupied.Add(call.GetAwaiter().GetResult());
        }

        return this;
    }

    /// <summary>Releases what <see cref="Occupy"/> acquired, in the same order.</summary>
    public PoolHarness Vacate(int count = int.MaxValue)
    {
        foreach (var lease in _occupied.Take(count).ToList())
        {
            _occupied.Remove(lease);
            lease.Release();
        }

        return this;
    }

    /// <summary>Leaves that many idle connections behind.</summary>
    public PoolHarness WarmUp(int count) => Occupy(count).Vacate(count);

    [SuppressMessage("Usage", "CA1816", Justification = "Sealed and without finalizer.")]
    public void Dispose()
    {
        Pool.VerifyInvariants();
        var snapshot = Snapshot;
        Assert.Equal(LeasesLeftOut, snapshot.InUse);
        Assert.Equal(0, snapshot.Waiting);
        Pool.CloseAsync(TimeSpan.Zero).GetAwaiter().GetResult();
        foreach (var open in Connector.Pending)
        {
            open.Succeed();
        }

        Pool.VerifyInvariants();
        Assert.Equal(LeasesLeftOut, Connector.OpenNow);
        Assert.All(Connector.Closed, connection => Assert.Equal(1, connection.TimesClosed));
        Assert.Equal(0, Time.ActiveTimers);
    }

    private sealed class MiddleRandom : Random
    {
        public override double NextDouble() => 0.5;
    }
}
