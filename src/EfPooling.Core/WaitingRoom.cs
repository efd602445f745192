using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace EfPooling.Core;

/// <summary>Where queued callers wait, synchronous and asynchronous, and what ends their wait besides a slot.</summary>
internal sealed class WaitingRoom<T>(
    PoolGate gate, PoolLedger<T> ledger, ConnectionKeeper<T> keeper, PoolOptions options, PoolClock clock, ILogger logger, string name)
    where T : class
{
    public Slot<T> Wait(Waiter<T> waiter, long started, CancellationToken cancellationToken)
    {
        var remaining = Remaining(started);
        using var limits = Limit(waiter, remaining, cancellationToken);
        try
        {
            // Timers need a thread of the thread pool, and synchronous callers may block all of them. So this thread watches the
            // time too.
            if (waiter.WantsLease && UntilReserve is { } reserve && (remaining is null || reserve < remaining) && !waiter.Task.Wait(reserve, CancellationToken.None))
            {
                EntitleToReserve(waiter);
                remaining -= reserve;
            }

            if (!waiter.Task.Wait(remaining ?? Timeout.InfiniteTimeSpan, CancellationToken.None))
            {
                GiveUp(waiter);
            }
        }
        catch (AggregateException)
        {
            // The next line throws the same failure under its own type.
        }

        return waiter.Task.GetAwaiter().GetResult();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Slot<T>> WaitAsync(Waiter<T> waiter, long started, CancellationToken cancellationToken)
    {
        using var limits = Limit(waiter, Remaining(started), cancellationToken);
        return await waiter.Task.ConfigureAwait(false);
    }

    /// <summary>For a caller between two attempts: throws if it was cancelled or its time is up.</summary>
    public void ThrowIfOver(long started, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Remaining(started) == TimeSpan.Zero)
        {
            throw TimeOut(waiter: null)!;
        }
    }

    public void GiveUp(Waiter<T> waiter)
    {
        if (TimeOut(waiter) is { } error)
        {
            waiter.SetException(error);
        }
    }

    public void Cancel(Waiter<T> waiter, CancellationToken cancellationToken)
    {
        using (gate.Enter())
        {
            if (!ledger.RemoveLocked(waiter))
            {
                return;
            }

            keeper.LeaveLocked();
        }

        waiter.SetCanceled(cancellationToken);
    }

    public void EntitleToReserve(Waiter<T> waiter)
    {
        List<Slot<T>>? opens;
        using (gate.Enter())
        {
            if (!ledger.Waiters.Entitle(waiter))
            {
                return;
            }

            opens = keeper.BeginOpensLocked(clock.Now);
            keeper.LeaveLocked();
        }

        keeper.StartOpens(opens);
    }

    // Null if another flow completes the waiter.
    private QueryWaitTimeoutException? TimeOut(Waiter<T>? waiter)
    {
        PoolSnapshot snapshot;
        Exception? lastError;
        using (gate.Enter())
        {
            snapshot = ledger.SnapshotLocked(name);
            lastError = ledger.Backoff.LastError;
            if (!ledger.TimeOutLocked(waiter))
            {
                return null;
            }

            keeper.LeaveLocked();
        }

        Log.WaitTimedOut(logger, name, options.QueryWaitTimeout, snapshot.InUse, snapshot.Waiting - (waiter is null ? 0 : 1));
        return new QueryWaitTimeoutException(options.QueryWaitTimeout, snapshot, RunningLeases.Oldest(gate, ledger, clock, limit: 3), lastError);
    }

    private WaitLimits<T> Limit(Waiter<T> waiter, TimeSpan? remaining, CancellationToken cancellationToken)
        => new(this, waiter, remaining, waiter.WantsLease ? UntilReserve : null, clock.Time, cancellationToken);

    // Null: there is no reserve.
    private TimeSpan? UntilReserve => options.ReservePoolSize > 0 ? options.ReservePoolTimeout : null;

    /// <summary>What is left of the caller's QueryWaitTimeout; <c>null</c>: no limit.</summary>
    public TimeSpan? Remaining(long started)
    {
        if (options.QueryWaitTimeout == TimeSpan.Zero)
        {
            return null;
        }

        var remaining = options.QueryWaitTimeout - clock.Between(started, clock.Now);
        return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
    }
}
