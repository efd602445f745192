using EfPooling.AdoNet.Sql;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// The session of an open logical connection: which one it keeps, if any, which statements make it keep one, and what statements do to
/// the session on which they run. Used by whoever has the claim; its session is taken by Close.
/// </summary>
internal sealed class ConnectionSession(ConnectionBinder binder)
{
    // All used by whoever has the claim.
    private PinnedSession? _pinned; // taken by Close too
    private PinReason? _reason; // from the statement that needs a session until the session is there

    /// <summary>What is kept now; <c>null</c> if nothing is.</summary>
    public PinnedSession? Pinned => _pinned;

    /// <summary>
    /// A statement needs a session and there is none; or session mode, just opened, or opened in an ambient transaction that has completed since.
    /// </summary>
    public bool MustPin => _pinned is null && (_reason is not null || Pool.Options.PoolMode == PoolMode.Session);

    private PoolContext Pool => binder.Pool;

    private SessionStatePolicy Policy => binder.Connection.SessionState ?? Pool.Options.SessionState;

    /// <summary>Lets a text run that relies on its session, refuses it, or pins the connection, as its effects and the options say.</summary>
    /// <exception cref="SessionStateException">The connection has no session for it.</exception>
    /// <param name="verdict">On the text.</param>
    /// <param name="isSide">It runs beside the claim, so it can rely on no session, and not get one.</param>
    public void Admit(SqlVerdict verdict, bool isSide)
    {
        foreach (var name in verdict.Settings)
        {
            if (binder.Connection.Settings?.IsDeclared(name) == true)
            {
                throw SessionStateException.Declared(name, verdict.StatementWith(SessionEffects.Settings));
            }
        }

        if (verdict.Effects.HasFlag(SessionEffects.StringSyntax))
        {
            throw SessionStateException.StringSyntax(verdict.StatementWith(SessionEffects.StringSyntax)); // A session of one's own does not help.
        }

        var isInTransaction = !isSide && (binder.Transaction is not null || binder.CurrentAmbient is not null);
        if (!isSide && (_pinned is not null || Pool.Options.PoolMode == PoolMode.Session)
            && !(isInTransaction && verdict.Effects.HasFlag(SessionEffects.TransactionControl)))
        {
            return;
        }

        if (SessionFeatures.ReasonOf(verdict.Effects, isInTransaction, out var culprit) is { } reason)
        {
            if (IsSelfContained(verdict, isInTransaction) || (!isSide && Policy == SessionStatePolicy.Throw && binder.Transaction?.TryOwe(verdict, reason) == true))
            {
                return;
            }

            var statement = verdict.StatementWith(culprit);
            if (isSide || Policy == SessionStatePolicy.Throw || Pool.Options.PoolMode == PoolMode.Statement
                || binder.CurrentAmbient is not null || (isInTransaction && reason == PinReason.TransactionText))
            {
                throw SessionFeatures.Refuse(reason, statement);
            }

            Pool.ReportPin(reason, statement);
            _reason = reason;
            _pinned = binder.Transaction?.TryPin(reason);
        }
    }

    // A transaction of its own can neither begin in another one nor where each statement is to be one.
    private bool IsSelfContained(SqlVerdict verdict, bool isInTransaction)
        => (!verdict.Effects.HasFlag(SessionEffects.TransactionControl) || !(isInTransaction || Pool.Options.PoolMode == PoolMode.Statement))
            && SelfContainedText.Is(verdict);

    /// <summary>Notes what a text that is about to run may leave behind on its server connection.</summary>
    /// <returns>Whether it is not proven to leave the data as they were.</returns>
    public bool Expect(SqlVerdict verdict, IParameterised statement, ServerConnection server)
    {
        server.NoteText(verdict.Text);
        var judgement = Pool.Catalog.Judge(verdict, statement);
        var effects = SessionFeatures.EffectsOf(verdict, judgement);
        if (judgement.Advances)
        {
            server.ExpectSequenceValues();
        }

        if (judgement.IsClean)
        {
            server.JudgeBy(judgement.Catalog);
            if (Pool.Catalogs.WantsCheck(judgement))
            {
                server.Mark(Taint.Unverified);
            }
        }
        else if (SessionFeatures.MayChangeSchema(verdict))
        {
            server.Mark(Taint.SchemaChanged);
        }

        if (effects == SessionEffects.None && !verdict.Has(StatementKind.Savepoint))
        {
            return judgement.MayWrite;
        }

        var settingsFollow = _pinned?.LastsUntilClose != true;
        server.Mark(SessionFeatures.TaintOf(effects, verdict, settingsFollow));
        if (verdict.Effects.HasFlag(SessionEffects.Settings) && settingsFollow)
        {
            var settings = binder.Connection.RequireSettings();
            server.ExpectChanges(settings, binder, verdict.ResetsAllSettings ? [.. verdict.Settings, .. server.Settings.Names, .. settings.FollowedNames] : verdict.Settings);
        }
        else if (verdict.Effects.HasFlag(SessionEffects.Settings) && binder.Connection.Settings is { } left)
        {
            string[] names = verdict.ResetsAllSettings ? [.. verdict.Settings, .. left.FollowedNames] : [.. verdict.Settings];
            left.Forget(names); // The session keeps them itself.
            server.Settings.Forget(names);
        }

        // What is declared must hold for the next statement too, even in the same transaction.
        if (verdict.ResetsAllSettings || (effects & SessionFeatures.HiddenSettings) != 0)
        {
            DoubtDeclared(server);
        }

        if (verdict.Has(StatementKind.Savepoint) || effects.HasFlag(SessionEffects.TransactionControl))
        {
            server.Settings.DoubtRevocable();
        }

        return judgement.MayWrite;
    }

    /// <summary>
    /// Something is about to run on this server connection. Whoever leased it as a session used it past us: a SET or ROLLBACK there may have changed
    /// what is declared. So may anything behind a statement that was not proven to be clean, which may have given names another meaning. So what is declared is
    /// set again before each statement, until the server connection is given back.
    /// </summary>
    /// <param name="server">Bound to the connection.</param>
    /// <param name="verdict">On the text; <c>null</c> if there is none.</param>
    /// <exception cref="InvalidOperationException">They have also closed it and opened another in its place.</exception>
    public void OnAttaching(ServerConnection server, SqlVerdict? verdict = null)
    {
        if (server.IsExposed && server.IsReplaced)
        {
            throw new InvalidOperationException("The connection of the leased session was closed and opened again, or moved to another database, so it is not the one that this connection works on. Use a connection of your own for that, and end this session.");
        }

        if (server.IsExposed || (server.Taint & (Taint.Dirty | Taint.Unverified)) != 0)
        {
            DoubtDeclared(server);
        }
    }

    /// <summary>Takes the session that is needed now.</summary>
    /// <returns>The session. <see cref="Pinned"/> may be <c>null</c> again, because Close has ended it.</returns>
    public PinnedSession Pin()
    {
        var session = NewSession();
        try
        {
            return _pinned = session.Start(Pool.Acquire(session, CancellationToken.None));
        }
        finally
        {
            _reason = null; // If that failed, the statement does not run, and the next one may need no session.
        }
    }

    /// <inheritdoc cref="Pin"/>
    public async ValueTask<PinnedSession> PinAsync(CancellationToken cancellationToken)
    {
        var session = NewSession();
        try
        {
            return _pinned = session.Start(await Pool.AcquireAsync(session, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _reason = null;
        }
    }

    /// <summary>Whoever has the claim is about to give it up, and still has it.</summary>
    public void OnClaimEnding() => _reason = null; // Whoever needed a session has one, or did not run.

    /// <summary>Gives the caller the server connection that the connection works on now, or a session that lasts as long as the lease.</summary>
    public async ValueTask<SessionGrant> LeaseAsync(string reason, CancellationToken cancellationToken)
    {
        if (Pool.Options.PoolMode == PoolMode.Statement)
        {
            throw new StatementModeException(Pool.Name, "sessions");
        }

        var operation = new NamedOperation(LeaseScope.Session, reason, OperationKind.Session);
        using var claim = await binder.Claim.TakeAsync(operation, binder.Connection, cancellationToken).ConfigureAwait(false);
        var wanted = binder.ResolveSettings();
        Pool.ReportPin(PinReason.SessionLease, reason);
        if (binder.Transaction is not null || binder.CurrentAmbient is not null || _pinned is not null || MustPin)
        {
            var binding = await binder.BindAsync(operation, cancellationToken).ConfigureAwait(false);
            try
            {
                OnAttaching(binding.Server);
                await binding.ApplySettingsAsync(wanted, verdict: null, mayShareTransaction: false, cancellationToken).ConfigureAwait(false);
                if (binder.Transaction is null && binder.CurrentAmbient is { } ambient)
                {
                    return ambient.LeaseSession(binder, reason); // Before others in the transaction may run something again.
                }
            }
            catch (Exception e)
            {
                binding.Observe(e);
                throw;
            }
            finally
            {
                await binding.EndAsync().ConfigureAwait(false); // The transaction or session goes on holding the server connection.
            }

            return new SessionGrant(binder.Transaction?.Lease ?? _pinned?.Lease ?? throw AmbientEnlistment.Completed(), null, null);
        }

        var session = new PinnedSession(binder, PinReason.SessionLease, reason);
        session.Start(await Pool.AcquireAsync(session, cancellationToken).ConfigureAwait(false));
        await session.PrepareAsync(wanted, cancellationToken).ConfigureAwait(false);
        _pinned = session;
        return new SessionGrant(
            session.Lease,
            () =>
            {
                Unpin(session);
                session.End();
            },
            () =>
            {
                Unpin(session);
                return session.EndAsync();
            });
    }

    /// <summary>Keeps none any more; the caller ends it.</summary>
    public PinnedSession? Take() => Interlocked.Exchange(ref _pinned, null);

    private void DoubtDeclared(ServerConnection server) => server.Settings.Doubt(binder.Connection.Settings?.DeclaredNames ?? []);

    private PinnedSession NewSession()
    {
        if (_reason is null)
        {
            Pool.ReportPin(PinReason.SessionMode, statement: null);
        }

        return new PinnedSession(binder, _reason ?? PinReason.SessionMode);
    }

    private void Unpin(PinnedSession session)
    {
        if (ReferenceEquals(_pinned, session))
        {
            _pinned = null;
        }
    }
}
