using EfPooling.AdoNet.Sql;
using EfPooling.Analyzers.Sql;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0003: advisory locks that the session keeps. Giving one back is not reported: it follows from taking it.</summary>
internal sealed class SessionLockRule() : SqlRule(Descriptors.SessionLock)
{
    private const string Prefix = "advisory_";

    private static readonly WordTable Locks = new("pg_advisory_lock pg_advisory_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared");

    public override bool Concerns(SqlUse use) => !use.Script.IsOnlyData && use.IsPooled && !use.Script.IsSelfContained;

    public override void Check(SqlUse use, SqlScriptStatement statement)
    {
        if ((statement.Effects & SessionEffects.SessionLock) == 0)
        {
            return;
        }

        var tokens = use.Script.Tokens;
        for (var i = statement.First; i < statement.End; i++)
        {
            if (tokens.IsName(i) && tokens.Is(i + 1, '(') && Locks.Contains(tokens.Name(i)))
            {
                var name = tokens.Name(i);
                var at = tokens[i].Start + tokens.Raw(i).IndexOf(Prefix, StringComparison.OrdinalIgnoreCase) + Prefix.Length;
                use.Report(Descriptor, i, i + 1, use.IsInTransaction ? (at, at, "xact_") : null, use.Script.Summary(i, tokens.Close(i + 1) + 1), name.Replace(Prefix, Prefix + "xact_"));
            }
        }
    }
}
