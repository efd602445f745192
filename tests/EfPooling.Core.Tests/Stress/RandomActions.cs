using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests.Stress;

/// <summary>
/// One thread does random things to a pool in manual time. After every step the invariants hold, the snapshot is what the model says,
/// and whoever was served came before whoever still waits.
/// </summary>
internal sealed class RandomActions : IAsyncDisposable
{
    private readonly Random _random;
    private readonly PoolOptions _options;
    private readonly ManualTimeProvider _time = new();
    private readonly FakeConnector _connector = new();
    private readonly ServerConnectionPool<FakeConnection> _pool;
    private readonly List<RandomCaller> _waiting = [];
    private readonly List<Lease<FakeConnection>> _held = [];
    private readonly List<Lease<FakeConnection>> _ended = [];
    private readonly List<Task> _pauses = [];
    private readonly (int Weight, Func<Task> Action)[] _actions;
    private int _arrivals;
    private int _granted;

    public RandomActions(int seed)
    {
        _random = new Random(seed);
        _options = RandomOptions(_random);
        _pool = new ServerConnectionPool<FakeConnection>(_options, _connector, _time, null, new Random(seed));
        _connector.HoldOpens = true;
        _connector.OnCheck = _ => Check(_held.Count < Capacity, "a check needs a lease of its own");
        _actions =
        [
            (28, () => Acquire(CallerKind.Async)),
            (1, () => Acquire(CallerKind.Sync)),
            (26, () => Do(() => End(lease => lease.Release()))),
            (3, () => Do(() => End(lease => lease.Retire(RetireReason.Broken)))),
            (3, () => Do(() => End(ReleaseToBeClosed))),
            (3, () => Do(EndAgain)),
            (4, Cancel),
            (1, () => Do(_pool.Clear)),
            (2, () => Do(Rest)),
            (2, () => Do(() => _pool.Reconnect(TimeSpan.FromSeconds(_random.Next(3) * 20)))),
            (1, () => Do(Pause)),
            (4, Resume),
            (1, () => Do(_pool.Disable)),
            (4, () => Do(() => _pool.Enable())),
            (10, () => Do(() => _time.Advance(TimeSpan.FromSeconds(_random.Next(10))))),
            (1, () => Do(() => _time.Advance(TimeSpan.FromSeconds(_random.Next(300))))),
            (16, () => Do(() => Open()?.Succeed())),
            (3, () => Do(() => Open()?.Fail(new InvalidOperationException("open failed")))),
            (3, () => Do(BreakSilently)),
            (1, () => Do(() => _connector.HoldOpens = _random.Next(4) > 0)),
        ];
    }

    /// <summary>The step under way, for the message of a failure.</summary>
    public int Step { get; private set; }

    private int Capacity => _options.MaxPoolSize + _options.ReservePoolSize;

    public async Task Run(int steps)
    {
        for (Step = 1; Step <= steps; Step++)
        {
            await RandomAction()();
            await Settle();
        }

        await Finish();
    }

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private static PoolOptions RandomOptions(Random random)
    {
        var max = random.Next(1, 6);
        return new PoolOptions
        {
            MaxPoolSize = max,
            MinPoolSize = random.Next(0, max + 1),
            ReservePoolSize = random.Next(0, 3),
            ReservePoolTimeout = TimeSpan.FromSeconds(15),
            MaxConcurrentOpens = random.Next(1, 4),
            ServerLifetime = TimeSpan.FromSeconds(random.Next(2) * 400),
            ServerIdleTimeout = TimeSpan.FromSeconds(random.Next(2) * 120),
            ServerCheckDelay = random.Next(3) == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(20),
            ServerLoginRetry = TimeSpan.FromSeconds(5),
            ServerRoundRobin = random.Next(2) == 0,
            QueryWaitTimeout = TimeSpan.FromSeconds(60),
        };
    }

    private static Task Do(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private Func<Task> RandomAction()
    {
        var ticket = _random.Next(_actions.Sum(a => a.Weight));
        return _actions.First(a => (ticket -= a.Weight) < 0).Action;
    }

    private async Task Acquire(CallerKind kind)
    {
        if (_waiting.Count >= 12)
        {
            return;
        }

        var caller = new RandomCaller(_arrivals++);
        if (kind == CallerKind.Async)
        {
            caller.Call = _pool.AcquireAsync(null, caller.Cancellation.Token).AsTask();
        }
        else
        {
            var waits = _time.NextTimer();
            caller.Call = DedicatedThread.Run(() => _pool.Acquire(null, caller.Cancellation.Token));
            await Task.WhenAny(waits, caller.Call);
        }

        _waiting.Add(caller);
    }

    private void End(Action<Lease<FakeConnection>> how)
    {
        if (TakeRandom(_held) is { } lease)
        {
            how(lease);
            _ended.Add(lease);
        }
    }

    private void EndAgain()
    {
        if (_ended.Count > 0)
        {
            var lease = _ended[_random.Next(_ended.Count)];
            Assert.Throws<LeaseEndedException>(_random.Next(3) switch
            {
                0 => lease.Release,
                1 => () => lease.Retire(RetireReason.Broken),
                _ => () => lease.RetireAtEnd(RetireReason.Exposed),
            });
        }
    }

    private void ReleaseToBeClosed(Lease<FakeConnection> lease)
    {
        var connection = lease.Connection;
        lease.RetireAtEnd(RetireReason.Exposed);
        lease.Release();
        Check(connection.TimesClosed == 1, "a connection that was to be retired at the end of its lease is still open");
    }

    private void Rest()
    {
        if (_pool.GetSnapshot().IsPaused)
        {
            return;
        }

        var isUsed = _held.Count + _pool.GetSnapshot().Waiting > 0;
        Check(_pool.TryRest() != isUsed, "a pool rests if and only if nobody uses it");
        Check(isUsed || _pool.GetSnapshot().Idle == 0, "a pool at rest keeps a connection");
    }

    // Half of the pauses are cancelled before they are reached, at the next one's turn.
    private void Pause()
    {
        using var cancellation = new CancellationTokenSource();
        var wasPaused = _pool.GetSnapshot().IsPaused;
        var pause = _pool.PauseAsync(cancellation.Token);
        _pauses.Add(pause);
        if (_random.Next(2) == 0)
        {
            cancellation.Cancel();
        }

        Check(wasPaused || _pool.GetSnapshot().Idle == 0 || pause.IsCanceled, "a paused pool keeps a connection");
    }

    private async Task Resume()
    {
        var wasPaused = _pool.GetSnapshot().IsPaused;
        Check(_pool.Resume() == wasPaused, "a pool is resumed if and only if it is paused");
        await EndPauses();
    }

    private async Task EndPauses()
    {
        foreach (var pause in _pauses)
        {
            await pause.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _pauses.Clear();
    }

    private async Task Cancel()
    {
        if (_waiting.Count > 0)
        {
            await _waiting[_random.Next(_waiting.Count)].Cancellation.CancelAsync();
        }
    }

    private PendingOpen? Open()
    {
        var pending = _connector.Pending;
        return pending.Count == 0 ? null : pending[_random.Next(pending.Count)];
    }

    private void BreakSilently()
    {
        if (_connector.Opened.Count > 0)
        {
            _connector.Opened[^_random.Next(1, Math.Min(8, _connector.Opened.Count) + 1)].IsAlive = false;
        }
    }

    private Lease<FakeConnection>? TakeRandom(List<Lease<FakeConnection>> leases)
    {
        if (leases.Count == 0)
        {
            return null;
        }

        var index = _random.Next(leases.Count);
        var lease = leases[index];
        leases.RemoveAt(index);
        return lease;
    }

    // Whoever left the queue is about to learn the outcome: waits for exactly that many, then compares pool and model.
    private async Task Settle()
    {
        var lastServed = -1;
        for (var left = _waiting.Count - _pool.GetSnapshot().Waiting; left > 0; left--)
        {
            var ended = await Task.WhenAny(_waiting.Select(w => w.Call));
            var caller = _waiting.First(w => w.Call == ended);
            _waiting.Remove(caller);
            caller.Cancellation.Dispose();
            if (ended.IsCompletedSuccessfully)
            {
                Grant(await ended);
                lastServed = Math.Max(lastServed, caller.Arrival);
            }
            else
            {
                Check(await Record.ExceptionAsync(() => ended) is OperationCanceledException or QueryWaitTimeoutException or InvalidOperationException, "an unexpected failure");
            }
        }

        Check(_waiting.TrueForAll(w => w.Arrival > lastServed), "somebody was served out of turn");
        Compare();
        if (_pool.GetSnapshot() is { IsPaused: true, InUse: 0, Opening: 0 })
        {
            await EndPauses(); // Nothing is left to wait for.
        }
    }

    private void Grant(Lease<FakeConnection> lease)
    {
        _granted++;
        Check(!_pool.GetSnapshot().IsPaused, "a paused pool granted a lease");
        Check(lease.Connection.TimesClosed == 0, "a closed connection was leased");
        Check(!_held.Exists(other => other.Connection == lease.Connection), "a connection was leased twice");
        _held.Add(lease);
    }

    private void Compare()
    {
        _pool.VerifyInvariants();
        var snapshot = _pool.GetSnapshot();
        var opening = _connector.Pending.Count;
        Check(snapshot.Waiting == _waiting.Count, "waiters were lost");
        Check(snapshot.InUse == _held.Count && _held.TrueForAll(lease => lease.IsActive), "leases were lost");
        Check(snapshot.Opening == opening && snapshot.Closing == 0, "slots were lost");
        Check(snapshot.Idle + snapshot.InUse == _connector.OpenNow, "connections were lost");
        Check(_connector.OpenNow + opening <= Capacity, "too many connections at once");
        Check(opening <= _options.MaxConcurrentOpens, "too many opens at once");
        Check(_waiting.Count == 0 || snapshot.InUse + opening > 0 || snapshot.IsPaused, "somebody waits for nothing");
        Check(snapshot.Outdated <= snapshot.Idle + snapshot.InUse + snapshot.Opening, "more connections are to be replaced than there are");
        Check(snapshot.Idle <= _options.MaxPoolSize, "the reserve was kept");
    }

    // Half of the runs drain, the other half close at once with everything under way.
    private async Task Finish()
    {
        var drain = _random.Next(2) == 0 ? TimeSpan.Zero : TimeSpan.FromHours(1);
        var close = _pool.CloseAsync(drain);
        for (var round = 0; round < 1_000 && !(close.IsCompleted && _held.Count + _connector.Pending.Count + _waiting.Count == 0); round++)
        {
            await Settle();
            Open()?.Succeed();
            End(lease => lease.Release());
            await Settle();
            if (drain > TimeSpan.Zero && _held.Count + _waiting.Count == 0)
            {
                await close;
            }
        }

        await close;
        await EndPauses();
        Compare();
        Check(_connector.OpenNow == 0, "a connection was left open");
        Check(_connector.Opened.All(c => c.TimesClosed == 1), "a connection was not closed exactly once");
        var snapshot = _pool.GetSnapshot();
        Check(snapshot.Opened == _connector.Opened.Count && snapshot.Retired.Values.Sum() == snapshot.Opened, "the counters do not add up");
        Check(snapshot.LeasesGranted == _granted + snapshot.Retired.GetValueOrDefault(RetireReason.FailedCheck), "the leases do not add up");
        Check(_time.ActiveTimers == 0, "a timer was left");
    }

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
