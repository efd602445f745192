using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>The session settings of the server connection: whether they are in force, and how they get there and back.</summary>
internal sealed partial class ServerConnection
{
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

    /// <summary>The session's value of a setting.</summary>
    /// <param name="name">Must not come from a user: it becomes part of the text.</param>
    public string? ReadSetting(string name)
    {
        using var command = OwnCommand.Create($"SELECT pg_catalog.current_setting('{name}')", Npgsql);
        command.CommandTimeout = RecoveryTimeoutSeconds;
        return (string?)command.ExecuteScalar();
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

    // Fails loudly, because the logical connection's next statement would run without a setting that it relies on.
    private void LoseChanges() => Interlocked.Exchange(ref _capture, null)?.Fail();
}
