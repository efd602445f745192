using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>What a statement may leave to mend on its server connection.</summary>
internal static class SessionTaint
{
    private const SessionEffects Lasting =
        SessionEffects.PreparedStatement | SessionEffects.Library | SessionEffects.Discard | SessionEffects.ReplicationState | SessionEffects.FunctionState;

    public static Taint Of(SqlVerdict verdict)
    {
        var taint = Taint.None;
        if ((verdict.Effects & ~(SessionEffects.SequenceValue | SessionEffects.ReplicationState)) != 0
            || verdict.Has(StatementKind.Do) || verdict.Has(StatementKind.Declare))
        {
            taint |= Taint.Dirty;
        }

        if ((verdict.Effects & Lasting) != 0 || verdict.Has(StatementKind.PrepareTransaction))
        {
            taint |= Taint.Unresettable;
        }

        if (verdict.Effects.HasFlag(SessionEffects.TransactionControl) || verdict.Has(StatementKind.Unknown))
        {
            taint |= Taint.Dirty | Taint.OpenTransaction;
        }

        return taint;
    }
}
