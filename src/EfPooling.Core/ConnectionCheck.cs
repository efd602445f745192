namespace EfPooling.Core;

/// <summary>
/// Lets the server show, before a lease begins, that a connection still works. A caller waits for that for a limited time. A network that has forgotten the
/// connection does not answer at all, and then it has forgotten what was idle for as long too: that is retired without a try, and the caller goes on to a new connection.
/// </summary>
internal sealed class ConnectionCheck<T>(
    ServerConnectionPool<T> pool, PoolGate gate, PoolLedger<T> ledger, ConnectionKeeper<T> keeper, WaitingRoom<T> waits, IServerConnector<T> connector, PoolClock clock)
    where T : class
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <param name="slot">InUse by the caller, who has lost the lease unless it passes.</param>
    /// <param name="started">When the caller began to wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether the connection works. The caller's time may be up, or its token cancelled.</returns>
    public bool Passes(Slot<T> slot, long started, CancellationToken cancellationToken)
    {
        var check = Begin(slot, static (connector, connection) => connector.IsAliveOnThreadAsync(connection));
        if (!check.IsCompleted)
        {
            var limit = LimitOf(started);
            using var end = new CheckLimit(limit, clock.Time, cancellationToken);
            Task.WaitAny([check, end.Over], limit); // Timers may lack a thread, so this one watches the time too.
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

    // Half of what is left, so that the rest is left for an open.
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

    // Nobody touches the connection before the check has ended.
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

    // A connection that was left to its check.
    private sealed class Left(ServerConnectionPool<T> pool, Slot<T> slot, int version)
    {
        public void End(bool isAlive) => pool.EndLease(slot, version, isAlive ? null : RetireReason.FailedCheck, affinity: null);
    }
}
