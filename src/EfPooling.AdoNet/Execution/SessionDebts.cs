using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>
/// What the statements of a transaction have made in its session, one after the other. Until it commits, they must have ended it again: afterwards, the next
/// statement of the connection might run elsewhere. A rollback owes nothing. Used by the holder of the gate.
/// </summary>
internal sealed class SessionDebts
{
    private const SessionEffects Accepted = SessionStepReader.Known & ~SessionEffects.TransactionControl;

    private readonly SessionLedger _ledger = new();
    private (PinReason Reason, string? Statement) _first;

    /// <returns>False: what the text leaves cannot be said.</returns>
    public bool TryAdd(SqlVerdict verdict, PinReason reason)
    {
        if ((verdict.Effects & SessionEffects.OfSessions & ~Accepted) != 0 || verdict.Has(StatementKind.Savepoint)
            || SessionStepReader.Read(verdict) is not { } steps || steps.Exists(IsUncertain))
        {
            return false;
        }

        var wasBalanced = _ledger.IsBalanced;
        if (!_ledger.TryAdd(steps))
        {
            return false;
        }

        _first = wasBalanced ? (reason, verdict.StatementWith(verdict.Effects & Accepted)) : _first;
        return true;
    }

    /// <summary>A DROP may end something, and a rollback to a savepoint bring it back.</summary>
    public void OnChanged(SqlVerdict verdict)
    {
        if (verdict.Has(StatementKind.Savepoint))
        {
            OnRolledBackToSavepoint();
        }
        else if (SessionStepReader.Read(verdict) is { } steps)
        {
            _ledger.TryAdd(steps);
        }
    }

    /// <inheritdoc cref="SessionLedger.OnRolledBackToSavepoint"/>
    public void OnRolledBackToSavepoint() => _ledger.OnRolledBackToSavepoint();

    /// <exception cref="SessionStateException">Something is left.</exception>
    public void ThrowIfAny()
    {
        if (!_ledger.IsBalanced)
        {
            throw SessionFeatures.Refuse(_first.Reason, _first.Statement);
        }
    }

    // A parameter may have another value each time.
    private static bool IsUncertain(SessionStep step) => step.Thing == SessionThing.Lock && step.Name.AsSpan().ContainsAny('@', ':', '$');
}
