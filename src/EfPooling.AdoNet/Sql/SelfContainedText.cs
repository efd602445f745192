namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Whether a text ends everything that it makes in its session, so that it needs only the session it runs on, which is reset
/// afterwards.
/// </summary>
internal static class SelfContainedText
{
    public static bool Is(SqlVerdict verdict)
    {
        if ((verdict.Effects & SessionEffects.OfSessions & ~SessionStepReader.Known) != 0 || verdict.Has(StatementKind.Savepoint))
        {
            return false;
        }

        var ledger = new SessionLedger();
        return SessionStepReader.Read(verdict) is { } steps && ledger.TryAdd(steps) && ledger.IsBalanced;
    }
}
