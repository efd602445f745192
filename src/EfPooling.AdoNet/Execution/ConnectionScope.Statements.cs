using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <content>Which statements may run without a session of their own, and what statements do to the session on which they run.</content>
internal sealed partial class ConnectionScope
{
    private SessionStatePolicy Policy => _connection.SessionState ?? _pool.Options.SessionState;

    /// <summary>Lets a text run that relies on its session, refuses it, or pins the connection, as its effects and the options say.</summary>
    /// <exception cref="SessionStateException">The connection has no session for it.</exception>
    /// <param name="verdict">On the text.</param>
    /// <param name="isSide">It runs beside the gate, so it can rely on no session, and not get one.</param>
    public void Admit(SqlVerdict verdict, bool isSide)
    {
        foreach (var name in verdict.Settings)
        {
            if (_connection.Settings?.IsDeclared(name) == true)
            {
                throw SessionStateException.Declared(name, verdict.StatementWith(SessionEffects.Settings));
            }
        }

        if (verdict.Effects.HasFlag(SessionEffects.StringSyntax))
        {
            throw SessionStateException.StringSyntax(verdict.StatementWith(SessionEffects.StringSyntax)); // A session of one's own does not help.
        }

        var top = isSide ? null : OnTop;
        var isInTransaction = top is not null;
        if (!isSide && (_session is not null || _pool.Options.KeepsSession)
            && !(isInTransaction && verdict.Effects.HasFlag(SessionEffects.TransactionControl)))
        {
            return;
        }

        if (SessionFeatures.ReasonOf(verdict.Effects, isInTransaction, out var culprit) is { } reason)
        {
            if (IsSelfContained(verdict, isInTransaction) || (Policy == SessionStatePolicy.Throw && (top as ServerTransaction)?.TryOwe(verdict, reason) == true))
            {
                return;
            }

            var statement = verdict.StatementWith(culprit);
            if (isSide || Policy == SessionStatePolicy.Throw || _pool.Options.RunsSingleStatements
                || top is AmbientPlacement || (isInTransaction && reason == PinReason.TransactionText))
            {
                throw SessionFeatures.Refuse(reason, statement);
            }

            _pool.ReportPin(reason, statement);
            _reason = reason;
            _session = (top as ServerTransaction)?.TryPin(reason);
        }
    }

    // A transaction of its own can neither begin in another one nor where each statement is to be one.
    private bool IsSelfContained(SqlVerdict verdict, bool isInTransaction)
        => (!verdict.Effects.HasFlag(SessionEffects.TransactionControl) || !(isInTransaction || _pool.Options.RunsSingleStatements))
            && SelfContainedText.Is(verdict);

    /// <summary>Notes what a text that is about to run may leave behind on its server connection.</summary>
    /// <returns>Whether it is not proven to leave the data as they were.</returns>
    public bool Expect(SqlVerdict verdict, IParameterised statement, ServerConnection server)
    {
        server.NoteText(verdict.Text);
        var judgement = _pool.Catalog.Judge(verdict, statement);
        var effects = SessionFeatures.EffectsOf(verdict, judgement);
        if (judgement.Advances)
        {
            server.ExpectSequenceValues();
        }

        if (judgement.IsClean)
        {
            server.JudgeBy(judgement.Catalog);
            if (_pool.Catalogs.WantsCheck(judgement))
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

        var settingsFollow = _session?.LastsUntilClose != true;
        server.Mark(SessionFeatures.TaintOf(effects, verdict, settingsFollow));
        if (verdict.Effects.HasFlag(SessionEffects.Settings) && settingsFollow)
        {
            var settings = _connection.RequireSettings();
            server.ExpectChanges(settings, this, verdict.ResetsAllSettings ? [.. verdict.Settings, .. server.Settings.Names, .. settings.FollowedNames] : verdict.Settings);
        }
        else if (verdict.Effects.HasFlag(SessionEffects.Settings) && _connection.Settings is { } left)
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
    /// Something is about to run on this server connection. If it was exposed by a session lease, a SET or ROLLBACK out of our sight may have changed what is declared.
    /// A statement that was not proven to be clean may have done so too, or have given names another meaning. So what is declared is set again before each statement,
    /// until the server connection is given back.
    /// </summary>
    /// <param name="server">Bound to the connection.</param>
    /// <param name="verdict">On the text; <c>null</c> if there is none.</param>
    /// <exception cref="InvalidOperationException">It was also closed there, and another one opened in its place.</exception>
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

    private void DoubtDeclared(ServerConnection server) => server.Settings.Doubt(_connection.Settings?.DeclaredNames ?? []);
}
