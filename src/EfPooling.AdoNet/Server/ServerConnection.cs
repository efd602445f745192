using System.Data;
using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>One PostgreSQL backend process and the open <see cref="NpgsqlConnection"/> that owns it. Used by the holder of its lease only.</summary>
internal sealed partial class ServerConnection(NpgsqlConnection npgsql, ServerRecovery recovery)
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

    public void Execute(string sql)
    {
        using var command = new NpgsqlCommand(sql, Npgsql);
        command.ExecuteNonQuery();
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
}
