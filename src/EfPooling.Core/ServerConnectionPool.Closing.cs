namespace EfPooling.Core;

/// <summary>Closes what is open: for good, for now, or until the next caller.</summary>
internal sealed partial class ServerConnectionPool<T>
{
    private static readonly TimeSpan LongestClose = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Retires every server connection. Closes idle ones and blocks until they are closed. Connections in use are closed after
    /// their release. Ends a pause after failed logins.
    /// </summary>
    public void Clear()
    {
        var retired = new List<PoolRetirement<T>>();
        int leased;
        List<Slot<T>>? opens;
        CancellationTokenSource outdated;
        using (_gate.Enter())
        {
            _ledger.ClearLocked(retired);
            outdated = _keeper.RenewOpensLocked();
            leased = _ledger.InUse;
            opens = _keeper.BeginOpensLocked(_clock.Now);
            _keeper.LeaveLocked();
        }

        if (retired.Count + leased > 0)
        {
            Log.Cleared(_logger, Name, retired.Count, leased);
        }

        var closing = _keeper.CloseAllAsync(retired);
        _keeper.StartOpens(opens);
        _keeper.Stop(outdated);
        closing.Wait();
    }

    /// <summary>
    /// Closes every server connection and keeps none until the next caller, whatever MinPoolSize says. Does nothing while a lease
    /// runs or a caller waits.
    /// </summary>
    /// <returns>Whether the pool is at rest. A caller may have arrived since.</returns>
    internal bool TryRest()
    {
        var retired = new List<PoolRetirement<T>>();
        CancellationTokenSource outdated;
        using (_gate.Enter())
        {
            if (_ledger.IsAtRest)
            {
                return true;
            }

            if (!_ledger.RestLocked(retired))
            {
                return false;
            }

            outdated = _keeper.RenewOpensLocked();
            _keeper.LeaveLocked();
        }

        _keeper.CloseAllAsync(retired).Wait(); // Closes need no pool thread, so the timer that calls this may block one.
        _keeper.Stop(outdated);
        return true;
    }

    /// <summary>
    /// Closes the pool: refuses new callers, serves callers that already wait, and closes each connection after its release.
    /// </summary>
    /// <param name="drain">
    /// How long to wait for leases and waiters. After it, waiters are refused and leases run on.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: for ever.
    /// </param>
    /// <returns>
    /// Whether everything came back in time, once the idle connections are closed; a close that blocks is waited for a few
    /// seconds. Connections that did not come back are closed when they are released, and those that are being opened when they
    /// have arrived.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative or longer than a timer can wait; the pool goes on.</exception>
    public async Task<bool> CloseAsync(TimeSpan drain)
    {
        using var deadline = new CancellationTokenSource(drain, _clock.Time);
        var retired = new List<PoolRetirement<T>>();
        var refused = new List<Waiter<T>>();
        using (_gate.Enter())
        {
            _ledger.BeginDrainLocked(retired, refused, () => new PoolClosedException(Name), _clock.Now);
            _keeper.LeaveLocked();
        }

        RefuseAsClosed(refused);
        _ = _keeper.CloseAllAsync(retired);
        await _keeper.Quiet.WaitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var isDrained = Shut();
        if (!_keeper.Empty.IsCompleted)
        {
            using var limit = new CancellationTokenSource(LongestClose, _clock.Time);
            await _keeper.Empty.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return isDrained;
    }

    /// <summary>Closes the pool without waiting for leases to come back.</summary>
    public async ValueTask DisposeAsync() => await CloseAsync(TimeSpan.Zero).ConfigureAwait(false);

    private bool Shut()
    {
        var retired = new List<PoolRetirement<T>>();
        var refused = new List<Waiter<T>>();
        int leased;
        CancellationTokenSource opens;
        using (_gate.Enter())
        {
            if (_ledger.Phase == PoolPhase.Closed)
            {
                return _ledger.InUse == 0;
            }

            _ledger.CloseLocked(retired, refused);
            leased = _ledger.InUse;
            opens = _keeper.RenewOpensLocked();
            _keeper.LeaveLocked();
        }

        _keeper.Dispose();
        _keeper.Stop(opens);
        _ = _keeper.CloseAllAsync(retired);
        RefuseAsClosed(refused);
        Log.PoolClosed(_logger, Name, leased);
        _keeper.SignalIfEmpty();
        return leased == 0;
    }
}
