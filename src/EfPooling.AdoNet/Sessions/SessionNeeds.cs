using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>What the effects of a SQL text mean for a connection that has no session of its own, and for the server connection it runs on.</summary>
internal static class SessionNeeds
{
    // Which effects need a session, with the reason to give.
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

    /// <summary>What a text may leave behind on its server connection.</summary>
    /// <param name="verdict">On the text.</param>
    /// <param name="settingsFollow">Settings are read back, to follow the logical connection; else they are reset.</param>
    public static Taint TaintOf(SqlVerdict verdict, bool settingsFollow)
    {
        var taint = Taint.None;
        if (verdict.Effects.HasFlag(SessionEffects.Settings))
        {
            taint |= settingsFollow ? Taint.SettingsChanged : Taint.Dirty;
        }

        if ((verdict.Effects & ~(SessionEffects.Settings | SessionEffects.SequenceValue)) != 0 || verdict.Has(StatementKind.Do) || verdict.Has(StatementKind.Declare))
        {
            taint |= Taint.Dirty;
        }

        if ((verdict.Effects & Unresettable) != 0 || verdict.Has(StatementKind.PrepareTransaction))
        {
            taint |= Taint.Unresettable;
        }

        if (verdict.Effects.HasFlag(SessionEffects.TransactionControl) || verdict.Has(StatementKind.Unknown))
        {
            taint |= Taint.OpenTransaction;
        }

        return taint;
    }
}
