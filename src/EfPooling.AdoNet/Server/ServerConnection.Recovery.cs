using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>What makes the server connection fit for its next owner at the end of a lease.</summary>
internal sealed partial class ServerConnection
{
    /// <summary>
    /// The lease ends. Settings of a transaction are in doubt; all settings are if the session is dirty and is not reset.
    /// </summary>
    public void OnLeaseEnding()
    {
        Holder = null;
        IsExposed = false;
        _hasSequenceValues |= _advancesSequences;
        _advancesSequences = false;
        Settings.OnTransactionEnded();
        if (Taint.HasFlag(Taint.OpenTransaction) && NpgsqlInternals.IsOutsideTransaction(Npgsql))
        {
            Interlocked.And(ref _taint, (int)~Taint.OpenTransaction); // A transaction that was open has ended.
        }

        if (recovery.Initializer is { } initializer && (Taint.HasFlag(Taint.SettingsChanged) || initializer.MayHaveSet(Settings.Names)))
        {
            Mark(Taint.Dirty); // Restoring the default would not restore the initializer's value.
        }

        var left = Taint & ~recovery.Required(Taint);
        if (left != Taint.None)
        {
            Settings.Doubt(Settings.Names);
            Interlocked.And(ref _taint, (int)~left);
        }
    }

    /// <summary>Whether the end of the lease needs a round trip.</summary>
    public bool NeedsRecovery => recovery.VerifySessions || recovery.Required(Taint) != Taint.None;

    /// <returns>Whether the next owner may have the connection.</returns>
    public bool TryRecover()
    {
        var taint = recovery.Required(Taint);
        if (taint == Taint.None && _verifier is null)
        {
            return IsReady;
        }

        var isClean = recovery.Verifies(Taint) && !IsOutdated(recovery.Catalogs.Current);
        var owesCheck = (taint & (Taint.Unverified | Taint.SchemaChanged)) != 0;
        try
        {
            if (!IsRecoverable(taint))
            {
                return false;
            }

            if (taint.HasFlag(Taint.OpenTransaction))
            {
                _reset.Run(Npgsql, Taint.OpenTransaction, settingClasses: null); // Before any question: the open transaction may have failed, or see the past.
                taint &= ~Taint.OpenTransaction;
            }

            if (taint.HasFlag(Taint.SettingsChanged))
            {
                ReadChangesBack(isInTransaction: false);
            }

            if (taint.HasFlag(Taint.Suspect))
            {
                Ping();
            }

            if (taint.HasFlag(Taint.Unverified) && !taint.HasFlag(Taint.Dirty))
            {
                owesCheck = false;
                if (!recovery.Catalogs.Check(Npgsql) || IsOutdated(recovery.Catalogs.Current))
                {
                    taint = recovery.Required(taint | Taint.Dirty);
                    isClean = false;
                }
            }

            if (isClean && _verifier?.Verify(Npgsql, recovery.Pool, Settings.Names) == false)
            {
                taint = recovery.Required(taint | Taint.Dirty);
            }

            if (taint.HasFlag(Taint.Dirty) && !_reset.Run(Npgsql, taint, recovery.Catalogs.SettingClasses))
            {
                return false;
            }

            if (taint.HasFlag(Taint.Dirty))
            {
                recovery.Initializer?.Run(Npgsql);
            }

            if (TakesForeignState())
            {
                _reset.LeaveForeignState(Npgsql);
            }

            if (owesCheck)
            {
                owesCheck = false;
                recovery.Catalogs.Check(Npgsql);
            }

            recovery.Catalogs.EnsureLoaded(Npgsql);
            _verifier?.Begin(Npgsql);
            return IsRecovered(taint);
        }
        catch (Exception e) when (IsRecoveryFailure(e))
        {
            return false; // Retired with a reason, which is logged.
        }
        finally
        {
            LoseChanges();
            if (owesCheck)
            {
                recovery.Catalogs.OnNotChecked();
            }
        }
    }

    /// <inheritdoc cref="TryRecover"/>
    public async ValueTask<bool> TryRecoverAsync()
    {
        var taint = recovery.Required(Taint);
        if (taint == Taint.None && _verifier is null)
        {
            return IsReady;
        }

        var isClean = recovery.Verifies(Taint) && !IsOutdated(recovery.Catalogs.Current);
        var owesCheck = (taint & (Taint.Unverified | Taint.SchemaChanged)) != 0;
        try
        {
            if (!IsRecoverable(taint))
            {
                return false;
            }

            if (taint.HasFlag(Taint.OpenTransaction))
            {
                await _reset.RunAsync(Npgsql, Taint.OpenTransaction, settingClasses: null).ConfigureAwait(false); // Before any question: the open transaction may have failed, or see the past.
                taint &= ~Taint.OpenTransaction;
            }

            if (taint.HasFlag(Taint.SettingsChanged))
            {
                await ReadChangesBackAsync(isInTransaction: false).ConfigureAwait(false);
            }

            if (taint.HasFlag(Taint.Suspect))
            {
                await PingAsync().ConfigureAwait(false);
            }

            if (taint.HasFlag(Taint.Unverified) && !taint.HasFlag(Taint.Dirty))
            {
                owesCheck = false;
                if (!await recovery.Catalogs.CheckAsync(Npgsql).ConfigureAwait(false) || IsOutdated(recovery.Catalogs.Current))
                {
                    taint = recovery.Required(taint | Taint.Dirty);
                    isClean = false;
                }
            }

            if (isClean && _verifier is not null && !await _verifier.VerifyAsync(Npgsql, recovery.Pool, Settings.Names).ConfigureAwait(false))
            {
                taint = recovery.Required(taint | Taint.Dirty);
            }

            if (taint.HasFlag(Taint.Dirty) && !await _reset.RunAsync(Npgsql, taint, recovery.Catalogs.SettingClasses).ConfigureAwait(false))
            {
                return false;
            }

            if (taint.HasFlag(Taint.Dirty) && recovery.Initializer is { } initializer)
            {
                await initializer.RunAsync(Npgsql).ConfigureAwait(false);
            }

            if (TakesForeignState())
            {
                await _reset.LeaveForeignStateAsync(Npgsql).ConfigureAwait(false);
            }

            if (owesCheck)
            {
                owesCheck = false;
                await recovery.Catalogs.CheckAsync(Npgsql).ConfigureAwait(false);
            }

            await recovery.Catalogs.EnsureLoadedAsync(Npgsql).ConfigureAwait(false);
            await (_verifier?.BeginAsync(Npgsql) ?? Task.CompletedTask).ConfigureAwait(false);
            return IsRecovered(taint);
        }
        catch (Exception e) when (IsRecoveryFailure(e))
        {
            return false; // Retired with a reason, which is logged.
        }
        finally
        {
            LoseChanges();
            if (owesCheck)
            {
                recovery.Catalogs.OnNotChecked();
            }
        }
    }

    // Every other time, so that code meets both a fresh session and a used one.
    private bool TakesForeignState() => recovery.Shuffle && (_hasForeignState = !_hasForeignState);

    private bool IsRecoverable(Taint taint) => IsReady && (taint & (Taint.Unresettable | Taint.Desynchronized)) == 0;

    private static bool IsRecoveryFailure(Exception error)
        => error is NpgsqlException or IOException or TimeoutException or OperationCanceledException or InvalidOperationException;

    private bool IsRecovered(Taint taint)
    {
        if (taint.HasFlag(Taint.Dirty))
        {
            Settings.OnReset();
            (_judge, _hasSequenceValues) = (null, false);
        }

        Volatile.Write(ref _taint, 0);
        return IsReady;
    }
}
