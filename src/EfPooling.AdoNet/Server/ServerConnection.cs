using System.Data;
using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>One PostgreSQL backend process and the open <see cref="NpgsqlConnection"/> that owns it. Used by the holder of its lease only.</summary>
internal sealed class ServerConnection(NpgsqlConnection npgsql, ServerRecovery recovery)
{
    private const int RecoveryTimeoutSeconds = 5;
    private const int MostPrependedBytes = 2048; // Npgsql's write buffer holds at least 4096, BEGIN included

    private int _taint; // Interlocked only: Cancel() comes from any thread
    private bool _hasForeignState; // in shuffle mode
    private volatile bool _isExposed; // until the lease ends
    private readonly SessionVerifier? _verifier = recovery.VerifySessions ? new SessionVerifier(RecoveryTimeoutSeconds) : null;
    private readonly SessionReset _reset = new(recovery.CanPrepend, RecoveryTimeoutSeconds);
    private SettingCapture? _capture; // comes with Taint.SettingsChanged
    private SqlCatalog? _judge; // used by the holder of the lease, and by the next one: the catalog by which all since the last reset was judged clean
    private bool _advancesSequences; // in this lease
    private bool _hasSequenceValues; // of earlier leases
    private bool _isFailing; // the present statement has failed
    private bool _hasFailed; // the previous statement has failed
    private readonly ServerContinuity _continuity = new(npgsql);
    private readonly HostPlace? _place = recovery.Hosts?.Place(npgsql);

    public NpgsqlConnection Npgsql { get; } = npgsql;

    public ServerSettings Settings { get; } = new();

    public Taint Taint => (Taint)Volatile.Read(ref _taint);

    /// <summary>
    /// Whether it is open and idle in the protocol. Any other state at the end of a lease means that it is not provably healthy.
    /// </summary>
    public bool IsReady => NpgsqlInternals.GetFullState(Npgsql) == ConnectionState.Open && !_continuity.WasClosed;

    /// <summary>Whether the connection is gone, even if another one has replaced it (<see cref="IsReplaced"/>).</summary>
    public bool IsBroken => _continuity.WasClosed || (NpgsqlInternals.GetFullState(Npgsql) & (ConnectionState.Open | ConnectionState.Broken)) != ConnectionState.Open;

    /// <summary>Whether its owner has had direct access to the connection, so that the settings in force are unknown.</summary>
    public bool IsExposed
    {
        get => _isExposed;
        set => _isExposed = value;
    }

    /// <inheritdoc cref="ServerContinuity.HasBroken"/>
    public bool HasBroken => _continuity.HasBroken;

    /// <inheritdoc cref="ServerContinuity.Holder"/>
    public IServerHolder? Holder
    {
        get => _continuity.Holder;
        set => _continuity.Holder = value;
    }

    /// <summary>
    /// Whether its owner has closed and reopened it. It may be connected to another database and as another user.
    /// </summary>
    public bool IsReplaced => _continuity.WasClosed && Npgsql.State == ConnectionState.Open;

    /// <summary>Whether it is on a host that the rules for hosts no longer select.</summary>
    public bool IsMisplaced => _place?.IsLeft == true;

    /// <summary>
    /// Whether a cancel request may be under way to it. A round trip must then show that the protocol is in sync.
    /// </summary>
    public bool IsSuspect => Taint.HasFlag(Taint.Suspect);

    /// <summary>Whether the server has visibly closed the connection, so that it receives nothing that is sent now.</summary>
    public bool IsAbandoned => NpgsqlInternals.IsPeerGone(Npgsql);

    public void Mark(Taint taint) => Interlocked.Or(ref _taint, (int)taint);

    /// <summary>A text is about to run.</summary>
    public void NoteText(string text) => _verifier?.Add(text);

    /// <summary>A statement that was judged clean is about to run. Judgements by two different catalogs count as none.</summary>
    public void JudgeBy(SqlCatalog catalog)
    {
        _judge ??= catalog;
        if (!ReferenceEquals(_judge, catalog))
        {
            Mark(Taint.Dirty);
        }
    }

    /// <summary>
    /// Whether a statement was judged clean by another catalog than this one, which the database had meanwhile.
    /// </summary>
    public bool IsOutdated(SqlCatalog catalog) => _judge is { } judge && !ReferenceEquals(judge, catalog);

    /// <summary>A statement that may advance a sequence is about to run: <c>lastval</c> and <c>currval</c> will remember it.</summary>
    public void ExpectSequenceValues() => _advancesSequences = true;

    /// <summary>
    /// A transaction or session is about to begin. In it, <c>lastval</c> and <c>currval</c> must know its own values only.
    /// </summary>
    public void ForgetSequenceValues()
    {
        if (_hasSequenceValues && recovery.CanPrepend)
        {
            NpgsqlInternals.Prepend(Npgsql, SettingMessage.Command("DISCARD SEQUENCES"), answers: 2);
            _hasSequenceValues = false;
        }
    }

    /// <summary>
    /// Records an error. After an error of the server the protocol is in sync (Npgsql has read up to the server's ready message).
    /// After any other error it must be checked. Settings sent with the failed statement are in doubt.
    /// </summary>
    public void Observe(Exception error)
    {
        var serverError = error as PostgresException;
        _isFailing = true;
        if (serverError is null or { SqlState: PostgresErrorCodes.QueryCanceled })
        {
            Mark(Taint.Suspect);
        }

        if (serverError is { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction })
        {
            _place?.OnReadOnly();
        }

        if (IsBroken)
        {
            _capture = null; // The caller learns of it, and the changes are gone with the session or the transaction.
        }

        var sent = Settings.OnStatementFailed(serverAnswered: serverError is not null && !IsBroken);
        if (sent is not null && serverError is { IsTransient: false, SqlState: not PostgresErrorCodes.QueryCanceled } && IsBroken)
        {
            sent.OnRefused(); // Next time they go alone, so that only the statement fails, and not the connection.
        }
    }

    /// <summary>
    /// Whether settings may be set before a statement. A failed transaction accepts none before it is rolled back, whole or to a
    /// savepoint; settings in doubt stay so until the statement after that. COMMIT of a transaction that has not failed may run
    /// deferred triggers, for which settings count.
    /// </summary>
    public bool TakesSettingsBefore(SqlVerdict? verdict) => verdict switch
    {
        { Statements: 1, Kind: StatementKind.Savepoint } => false,
        { Statements: 1, Kind: StatementKind.Transaction } => NpgsqlInternals.IsOutsideTransaction(Npgsql) || !(_hasFailed || verdict.IsRollback),
        _ => true,
    };

    /// <summary>
    /// Ensures that settings are in force for the next statement: they are already, they travel ahead of it, or they take a round
    /// trip.
    /// </summary>
    /// <param name="wanted">The settings that must be in force.</param>
    /// <param name="route">How they may travel.</param>
    /// <param name="isInTransaction">Whether a transaction may be open, whose end might undo the effect of a round trip.</param>
    /// <param name="before">
    /// The next statement; <c>null</c> if it has no text. A statement that <see cref="TakesSettingsBefore">takes no
    /// settings</see> runs without.
    /// </param>
    public void EnsureSettings(SettingMap wanted, SettingRoute route, bool isInTransaction, SqlVerdict? before = null)
    {
        if (!Settings.Are(wanted) && TakesSettingsBefore(before) && !TrySend(wanted, route))
        {
            Apply(wanted, isInTransaction);
        }
    }

    /// <inheritdoc cref="EnsureSettings"/>
    public ValueTask EnsureSettingsAsync(SettingMap wanted, SettingRoute route, bool isInTransaction, CancellationToken cancellationToken, SqlVerdict? before = null)
        => Settings.Are(wanted) || !TakesSettingsBefore(before) || TrySend(wanted, route)
            ? ValueTask.CompletedTask
            : new ValueTask(ApplyAsync(wanted, isInTransaction, cancellationToken));

    // Whether they travel ahead of the next statement. If not, they need a round trip.
    private bool TrySend(SettingMap wanted, SettingRoute route)
    {
        if (route == SettingRoute.Alone)
        {
            return false;
        }

        var inOwnTransaction = route == SettingRoute.AheadOfTransaction;
        if (!recovery.CanPrepend || (inOwnTransaction ? !wanted.IsSureToBeAccepted : wanted.IsRefused) || NpgsqlInternals.HasPrepended(Npgsql))
        {
            return false;
        }

        var changes = Settings.ChangesTo(wanted);
        if (inOwnTransaction && changes.Exists(change => change is { Value: null, Name: not "role" } && !change.Name.Contains('.', StringComparison.Ordinal)))
        {
            return false; // The next owner may lack the right to restore a value that an earlier owner's role was allowed to set.
        }

        if (!inOwnTransaction && changes.Exists(change => change.Name.StartsWith("default_transaction_", StringComparison.Ordinal)))
        {
            return false; // The transaction in which they are set is not the next one.
        }

        var message = SettingMessage.Create(changes, inOwnTransaction, out var answers);
        if (message.Length > MostPrependedBytes)
        {
            return false;
        }

        Settings.Sent(wanted, inOwnTransaction);
        NpgsqlInternals.Prepend(Npgsql, message, answers);
        return true;
    }

    private void Apply(SettingMap wanted, bool isInTransaction)
    {
        using var apply = BeginApply(wanted);
        apply.ExecuteNonQuery();
        EndApply(wanted, isInTransaction);
    }

    private async Task ApplyAsync(SettingMap wanted, bool isInTransaction, CancellationToken cancellationToken)
    {
        var apply = BeginApply(wanted);
        await using (apply.ConfigureAwait(false))
        {
            await apply.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        EndApply(wanted, isInTransaction);
    }

    /// <summary>The statement has ended; if it failed, <see cref="Observe"/> was called before.</summary>
    public void OnStatementEnded()
    {
        (_hasFailed, _isFailing) = (_isFailing, false);
        if (Settings.HasSent)
        {
            if (NpgsqlInternals.WasCancelled(Npgsql))
            {
                Mark(Taint.Suspect);
                Settings.OnUnobserved(); // Npgsql does not report the error if the results were being skipped.
            }

            Settings.OnStatementSucceeded(hasAnswered: !NpgsqlInternals.HasPrepended(Npgsql));
        }
    }

    /// <summary>SQL of this connection is about to change settings that must follow it.</summary>
    public void ExpectChanges(ConnectionSettings owner, IOpening opening, IReadOnlyCollection<string> names)
    {
        _capture = _capture?.And(names) ?? new SettingCapture(owner, opening, names);
        recovery.Initializer?.OnChanged(names);
        Mark(Taint.SettingsChanged);
    }

    /// <summary>
    /// Whether settings changed in the same ambient transaction have not been read back yet, and another connection or an earlier
    /// opening of this one changed them.
    /// </summary>
    public bool HasChangesOfOthers(IOpening opening) => _capture?.IsFor(opening) == false;

    public void Execute(string sql)
    {
        using var command = new NpgsqlCommand(sql, Npgsql);
        command.ExecuteNonQuery();
    }

    /// <summary>The session's value of a setting.</summary>
    /// <param name="name">Must not come from a user: it becomes part of the text.</param>
    public string? ReadSetting(string name)
    {
        using var command = OwnCommand.Create($"SELECT pg_catalog.current_setting('{name}')", Npgsql);
        command.CommandTimeout = RecoveryTimeoutSeconds;
        return (string?)command.ExecuteScalar();
    }

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

    /// <summary>
    /// Whether a round trip is required before the next owner gets it: it <see cref="IsOutdated">is outdated</see>, or its host
    /// may no longer be the right one.
    /// </summary>
    public bool NeedsRenewal(SqlCatalog catalog) => _place is { IsDue: true } || IsOutdated(catalog);

    /// <summary>Does what <see cref="NeedsRenewal">is required</see> before the next owner gets it.</summary>
    /// <returns>Whether the next owner may have the connection.</returns>
    public bool TryRenew(SqlCatalog catalog)
    {
        try
        {
            if (_place is { IsDue: true } place && !place.Check(Npgsql, RecoveryTimeoutSeconds))
            {
                return false;
            }
        }
        catch (Exception e) when (IsRecoveryFailure(e))
        {
            return false;
        }

        if (!IsOutdated(catalog))
        {
            return IsReady;
        }

        Mark(Taint.Dirty);
        var isFit = TryRecover();
        OnRenewed();
        return isFit;
    }

    /// <inheritdoc cref="TryRenew"/>
    public async ValueTask<bool> TryRenewAsync(SqlCatalog catalog)
    {
        try
        {
            if (_place is { IsDue: true } place && !await place.CheckAsync(Npgsql, RecoveryTimeoutSeconds).ConfigureAwait(false))
            {
                return false;
            }
        }
        catch (Exception e) when (IsRecoveryFailure(e))
        {
            return false;
        }

        if (!IsOutdated(catalog))
        {
            return IsReady;
        }

        Mark(Taint.Dirty);
        var isFit = await TryRecoverAsync().ConfigureAwait(false);
        OnRenewed();
        return isFit;
    }

    // If the reset policy is never, this connection is not reset either.
    private void OnRenewed()
    {
        _judge = null;
        Interlocked.And(ref _taint, (int)~Taint.Dirty);
    }

    /// <summary>Records the settings that SQL has changed, so that they follow their connection.</summary>
    /// <param name="isInTransaction">Whether a transaction is open, whose end might undo them.</param>
    public void ReadChangesBack(bool isInTransaction)
    {
        if (_capture is { } capture)
        {
            capture.Read(Npgsql, Settings, isInTransaction, RecoveryTimeoutSeconds);
            _capture = null;
        }
    }

    /// <inheritdoc cref="ReadChangesBack"/>
    public async Task ReadChangesBackAsync(bool isInTransaction)
    {
        if (_capture is { } capture)
        {
            await capture.ReadAsync(Npgsql, Settings, isInTransaction, RecoveryTimeoutSeconds).ConfigureAwait(false);
            _capture = null;
        }
    }

    /// <inheritdoc cref="SessionPing.Run"/>
    public void Ping() => SessionPing.Run(Npgsql, RecoveryTimeoutSeconds);

    /// <inheritdoc cref="SessionPing.Run"/>
    public Task PingAsync() => SessionPing.RunAsync(Npgsql, RecoveryTimeoutSeconds);

    /// <summary>The connection was opened and not handed out yet.</summary>
    public ServerConnection Opened()
    {
        _place?.Arrive(Npgsql, RecoveryTimeoutSeconds);
        _verifier?.Begin(Npgsql);
        return this;
    }

    /// <summary>The connection is being closed.</summary>
    public void OnClosing() => _place?.Leave();

    private NpgsqlCommand BeginApply(SettingMap wanted)
    {
        var changes = Settings.ChangesTo(wanted);
        var apply = OwnCommand.Create(SettingMessage.Sql(changes), Npgsql);
        foreach (var (name, value) in changes)
        {
            apply.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
            apply.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text, Value = value ?? (object)DBNull.Value });
        }

        Settings.Changing(wanted);
        return apply;
    }

    private void EndApply(SettingMap wanted, bool isInTransaction)
    {
        Settings.Confirmed(wanted, isInTransaction);
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

    // Fails loudly, because the logical connection's next statement would run without a setting that it relies on.
    private void LoseChanges() => Interlocked.Exchange(ref _capture, null)?.Fail();
}
