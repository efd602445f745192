using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>What the effects of a SQL text mean for a connection that has no session of its own, and for the server connection it runs on.</summary>
internal static class SessionNeeds
{
    // The effects that need a session, all of SessionEffects.OfSessions, with the reason to give.
    private static readonly (SessionEffects Effect, PinReason Reason)[] Table =
    [
        (SessionEffects.TransactionControl, PinReason.TransactionText),
        (SessionEffects.Listen, PinReason.Listen),
        (SessionEffects.TemporaryObject, PinReason.TemporaryObject),
        (SessionEffects.SessionLock, PinReason.SessionLock),
        (SessionEffects.PreparedStatement, PinReason.PreparedStatement),
        (SessionEffects.HoldCursor, PinReason.HoldCursor),
        (SessionEffects.Library, PinReason.Library),
        (SessionEffects.Discard, PinReason.Discard),
        (SessionEffects.UnnamedSettings, PinReason.Setting),
        (SessionEffects.SequenceValue, PinReason.SequenceValue),
        (SessionEffects.ReplicationState | SessionEffects.FunctionState, PinReason.OtherState),
    ];

    private static readonly StatementKind[] SchemaChanges =
    [
        StatementKind.Create, StatementKind.Alter, StatementKind.Drop, StatementKind.Do, StatementKind.Call, StatementKind.Utility, StatementKind.Unknown,
        StatementKind.SelectInto, StatementKind.Prepare,
    ];

    private const SessionEffects Unresettable
        = SessionEffects.PreparedStatement | SessionEffects.Library | SessionEffects.Discard | SessionEffects.ReplicationState | SessionEffects.FunctionState;

    /// <summary>Settings whose values can no longer be taken for granted.</summary>
    public const SessionEffects HiddenSettings = SessionEffects.UnnamedSettings | SessionEffects.Unknown | SessionEffects.Discard;

    /// <summary>Why a text needs a session; <c>null</c> if it does not.</summary>
    /// <param name="effects">Of the text.</param>
    /// <param name="isInTransaction">A transaction is enough for what it sets itself.</param>
    /// <param name="culprit">The effects that gave the reason.</param>
    public static PinReason? ReasonOf(SessionEffects effects, bool isInTransaction, out SessionEffects culprit)
    {
        foreach (var (effect, reason) in Table)
        {
            culprit = effects & effect;
            if (culprit != SessionEffects.None && !(isInTransaction && reason == PinReason.SequenceValue))
            {
                return reason;
            }
        }

        culprit = SessionEffects.None;
        return null;
    }

    /// <summary>The effects of a text by its own words, and whether anything that it refers to may have more.</summary>
    public static SessionEffects EffectsOf(SqlVerdict verdict, Judgement judgement) => judgement.IsClean ? verdict.Effects : verdict.Effects | SessionEffects.Unknown;

    /// <summary>Whether the text may have changed what the catalog depends on.</summary>
    public static bool MayChangeSchema(SqlVerdict verdict)
        => Array.Exists(SchemaChanges, verdict.Has);

    /// <summary>What a text may leave behind on its server connection.</summary>
    /// <param name="effects">Of the text and what it calls.</param>
    /// <param name="verdict">On the text.</param>
    /// <param name="settingsFollow">Settings are read back, to follow the logical connection; else they are reset.</param>
    public static Taint TaintOf(SessionEffects effects, SqlVerdict verdict, bool settingsFollow)
    {
        var taint = Taint.None;
        if (effects.HasFlag(SessionEffects.Settings))
        {
            taint |= settingsFollow ? Taint.SettingsChanged : Taint.Dirty;
        }

        if ((effects & ~(SessionEffects.Settings | SessionEffects.SequenceValue)) != 0)
        {
            taint |= Taint.Dirty;
        }

        if ((effects & Unresettable) != 0 || verdict.Has(StatementKind.PrepareTransaction))
        {
            taint |= Taint.Unresettable;
        }

        if (effects.HasFlag(SessionEffects.TransactionControl) || verdict.Has(StatementKind.Unknown))
        {
            taint |= Taint.OpenTransaction;
        }

        return taint;
    }
}
