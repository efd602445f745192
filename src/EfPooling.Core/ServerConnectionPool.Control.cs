namespace EfPooling.Core;

/// <summary>What an operator orders. The words are PgBouncer's.</summary>
internal sealed partial class ServerConnectionPool<T>
{
    /// <summary>
    /// Holds callers back and waits until every lease has come back and every server connection is closed (PgBouncer
    /// <c>PAUSE</c>). Callers queue, within their <see cref="PoolOptions.QueryWaitTimeout"/>.
    /// </summary>
    /// <param name="cancellationToken">Cancellation lets the pool go on, unless another call has paused it or still waits.</param>
    /// <exception cref="PoolClosedException">The pool is closing, or was closed meanwhile.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or <see cref="Resume"/> was called meanwhile.</exception>
    public async Task PauseAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var retired = new List<PoolRetirement<T>>();
        PoolHold pause;
        bool isNew;
        int leased;
        using (_gate.Enter())
        {
            ThrowIfClosing();
            isNew = !_ledger.IsPaused;
            pause = _ledger.PauseLocked(retired);
            leased = _ledger.InUse;
            _keeper.LeaveLocked();
        }

        if (isNew)
        {
            Log.Paused(_logger, Name, leased);
        }

        _ = _keeper.CloseAllAsync(retired);
        await pause.Reached.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!LeavePause(pause))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await pause.Reached.ConfigureAwait(false); // Throws: the pool was resumed or closed.
        }
    }

    /// <summary>Ends a pause (PgBouncer <c>RESUME</c>). Callers go on in the order of their waiting.</summary>
    /// <returns>Whether the pool was paused.</returns>
    public bool Resume()
    {
        List<Slot<T>>? opens;
        int waiting;
        using (_gate.Enter())
        {
            if (!_ledger.ResumeLocked())
            {
                return false;
            }

            waiting = _ledger.Waiting;
            opens = _keeper.BeginOpensLocked(_clock.Now);
            _keeper.LeaveLocked();
        }

        Log.Resumed(_logger, Name, waiting);
        _keeper.StartOpens(opens);
        return true;
    }

    /// <summary>
    /// Refuses new callers with <see cref="PoolDisabledException"/> (PgBouncer <c>DISABLE</c>). Running leases and callers that
    /// already wait are not affected.
    /// </summary>
    /// <exception cref="PoolClosedException">The pool is closing.</exception>
    public void Disable() => Disable(drain: false);

    /// <summary>Admits new callers again (PgBouncer <c>ENABLE</c>).</summary>
    /// <returns>Whether the pool was disabled.</returns>
    public bool Enable()
    {
        using (_gate.Enter())
        {
            if (!_ledger.EnableLocked())
            {
                return false;
            }

            _keeper.LeaveLocked();
        }

        Log.Enabled(_logger, Name);
        return true;
    }

    /// <summary><see cref="Disable()">Disables</see> the pool and waits until nothing runs and no caller waits.</summary>
    /// <param name="cancellationToken">Ends the wait. The pool stays disabled.</param>
    /// <exception cref="PoolClosedException">The pool is closing, or was closed meanwhile.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or <see cref="Enable"/> was called meanwhile.</exception>
    public Task DrainAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        return Disable(drain: true)!.Reached.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Replaces every server connection by a new one (PgBouncer <c>RECONNECT</c>), one after the other: an idle one when its turn
    /// comes, one in use at its release after that. While the server lets nobody in, the old ones are kept.
    /// </summary>
    /// <param name="over">The time in which the turns come.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative or longer than 24 days; nothing was changed.</exception>
    public void Reconnect(TimeSpan over)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(over, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(over, PoolOptions.Longest);
        var now = _clock.Now;
        var retired = new List<PoolRetirement<T>>();
        List<Slot<T>>? opens;
        int outdated;
        using (_gate.Enter())
        {
            _ledger.ReconnectLocked(_clock.Length(over), now);
            outdated = _ledger.Outdated;
            _ledger.SweepLocked(now, retired);
            opens = _keeper.BeginOpensLocked(now);
            _keeper.LeaveLocked();
        }

        Log.Reconnecting(_logger, Name, outdated, over);
        _ = _keeper.CloseAllAsync(retired);
        _keeper.StartOpens(opens);
        _keeper.AwaitTurn();
    }

    /// <summary>A caller is about to wait outside the pool's queue. Throws if the pool admits no new callers.</summary>
    /// <exception cref="PoolDisabledException">The pool is disabled.</exception>
    internal void ThrowIfDisabled()
    {
        if (!_ledger.AdmitsAll && _ledger.IsDisabled) // Unguarded: the caller comes at the same moment as the order.
        {
            throw new PoolDisabledException(Name);
        }
    }

    private PoolHold? Disable(bool drain)
    {
        bool isNew;
        PoolHold? end;
        using (_gate.Enter())
        {
            ThrowIfClosing();
            isNew = !_ledger.IsDisabled;
            _ledger.DisableLocked();
            end = drain ? _ledger.DrainLocked() : null;
            _keeper.LeaveLocked();
        }

        if (isNew)
        {
            Log.Disabled(_logger, Name);
        }

        return end;
    }

    private bool LeavePause(PoolHold pause)
    {
        List<Slot<T>>? opens = null;
        bool isReached;
        bool hasResumed;
        int waiting;
        using (_gate.Enter())
        {
            var wasPaused = _ledger.IsPaused;
            isReached = _ledger.LeavePauseLocked(pause);
            hasResumed = wasPaused && !_ledger.IsPaused;
            waiting = _ledger.Waiting;
            opens = hasResumed ? _keeper.BeginOpensLocked(_clock.Now) : null;
            _keeper.LeaveLocked();
        }

        if (hasResumed)
        {
            Log.Resumed(_logger, Name, waiting);
        }

        _keeper.StartOpens(opens);
        return isReached;
    }

    // Requires the gate.
    private void ThrowIfClosing()
    {
        if (_ledger.Phase != PoolPhase.Running)
        {
            throw new PoolClosedException(Name);
        }
    }

    // Requires the gate.
    private Exception RefusalLocked()
        => _ledger is { IsDisabled: true, Phase: PoolPhase.Running } ? new PoolDisabledException(Name) : new PoolClosedException(Name);

    private void RefuseAsClosed(List<Waiter<T>> refused)
    {
        foreach (var waiter in refused)
        {
            waiter.SetException(new PoolClosedException(Name));
        }
    }
}
