namespace EfPooling.Core;

/// <summary>
/// Checks with a round trip, before a lease begins, that a connection still works. The caller waits for a limited time. No answer
/// at all means that the network has forgotten the connection. Connections that were idle for as long are then retired unchecked,
/// and the caller gets a new one.
/// </summary>
internal sealed class ConnectionCheck<T>(
    ServerConnectionPool<T> pool, PoolGate gate, PoolLedger<T> ledger, ConnectionKeeper<T> keeper, WaitingRoom<T> waits, IServerConnector<T> connector, PoolClock clock)
    where T : class
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <param name="slot">In use by the caller. The caller loses the lease unless the check passes.</param>
    /// <param name="started">When the caller began to wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether the connection works. If not, the caller's time may be up or its token cancelled.</returns>
    public bool Passes(Slot<T> slot, long started, CancellationToken cancellationToken)
    {
        var check = Begin(slot, static (connector, connection) => connector.IsAliveOnThreadAsync(connection));
        if (!check.IsCompleted)
        {
            var limit = LimitOf(started);
            using var end = new CheckLimit(limit, clock.Time, cancellationToken);
            Task.WaitAny([check, end.Over], limit); // Timers may lack a thread, so this thread watches the time too.
        }

        return End(slot, check, cancellationToken);
    }

    /// <inheritdoc cref="Passes"/>
    public async ValueTask<bool> PassesAsync(Slot<T> slot, long started, CancellationToken cancellationToken)
    {
        var check = Begin(slot, static (connector, connection) => connector.IsAliveAsync(connection));
        if (!check.IsCompleted)
        {
            using var end = new CheckLimit(LimitOf(started), clock.Time, cancellationToken);
            await Task.WhenAny(check, end.Over).ConfigureAwait(false);
        }

        return End(slot, check, cancellationToken);
    }

    // Half of the remaining time, so that the other half is left for an open.
    private TimeSpan LimitOf(long started) => waits.Remaining(started) is { } left && left / 2 < Longest ? left / 2 : Longest;

    private Task<bool> Begin(Slot<T> slot, Func<IServerConnector<T>, T, Task<bool>> begin)
    {
        try
        {
            return begin(connector, slot.Connection!);
        }
        catch
        {
            pool.EndLease(slot, slot.Version, RetireReason.FailedCheck, affinity: null);
            throw;
        }
    }

    private bool End(Slot<T> slot, Task<bool> check, CancellationToken cancellationToken)
    {
        if (!check.IsCompleted)
        {
            LeaveToCheck(slot, check, isSilent: !cancellationToken.IsCancellationRequested);
            return false;
        }

        var isAlive = check.IsCompletedSuccessfully && check.Result;
        if (!isAlive)
        {
            pool.EndLease(slot, slot.Version, RetireReason.FailedCheck, affinity: null);
        }

        return check.GetAwaiter().GetResult();
    }

    // The connection is not used before the check has ended.
    private void LeaveToCheck(Slot<T> slot, Task<bool> check, bool isSilent)
    {
        var retired = new List<PoolRetirement<T>>();
        using (gate.Enter())
        {
            slot.Holder = null;
            if (isSilent)
            {
                ledger.RetireIdleSinceLocked(slot.IdleSince, retired);
            }

            keeper.LeaveLocked();
        }

        check.ContinueWith(
            static (check, state) => ((Left)state!).End(check.IsCompletedSuccessfully && check.Result), new Left(pool, slot, slot.Version),
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _ = keeper.CloseAllAsync(retired);
    }

    // A connection whose check has not ended; the check decides about it.
    private sealed class Left(ServerConnectionPool<T> pool, Slot<T> slot, int version)
    {
        public void End(bool isAlive) => pool.EndLease(slot, version, isAlive ? null : RetireReason.FailedCheck, affinity: null);
    }
}
