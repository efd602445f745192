using EfPooling.AdoNet.Sql;
using EfPooling.Analyzers.Sql;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0004: LISTEN, PREPARE as text, held cursors, LOAD and DISCARD. <see cref="NotificationUseAnalyzer"/> reports the calls.</summary>
internal sealed class SessionFeatureRule() : SqlRule(Descriptors.SessionFeature)
{
    public override bool Concerns(SqlUse use) => !use.Script.IsOnlyData && use.IsPooled && !use.Script.IsSelfContained;

    public override void Check(SqlUse use, SqlScriptStatement statement)
    {
        var tokens = use.Script.Tokens;
        var first = statement.First;
        var instead = statement.Kind switch
        {
            StatementKind.Listen => "SubscribeAsync of the data source",
            StatementKind.Prepare when IsPostgreSqls(tokens, statement) => "DbCommand.Prepare, or nothing: statements are prepared automatically",
            StatementKind.Load when tokens.Is(first + 1, SqlTokenKind.Text) => "session_preload_libraries in the server's configuration",
            StatementKind.Discard => "nothing: the pool cleans connections for their next owner",
            StatementKind.Declare when (statement.Effects & SessionEffects.HoldCursor) != 0 => "a cursor inside a transaction, or a reader",
            _ => null,
        };
        if (instead is not null)
        {
            use.Report(Descriptor, first, EndOfHead(use.Script, statement), null, "'" + use.Script.Summary(first, statement.End) + "'", instead, "what follows", "the next command may run on");
        }
        else if ((statement.Effects & (SessionEffects.SequenceValue | SessionEffects.FunctionState)) != 0)
        {
            CheckCalls(use, statement);
        }
    }

    // setseed and its kin leave something behind; currval and lastval ask for what was left.
    private void CheckCalls(SqlUse use, SqlScriptStatement statement)
    {
        var tokens = use.Script.Tokens;
        for (var i = statement.First; i < statement.End; i++)
        {
            var effects = tokens.IsName(i) && tokens.Is(i + 1, '(') ? SessionFunctions.EffectsOf(tokens.Name(i)) & statement.Effects : SessionEffects.None;
            var end = tokens.Close(i + 1) + 1;
            if ((effects & SessionEffects.FunctionState) != 0)
            {
                use.Report(Descriptor, i, end, null, "'" + use.Script.Summary(i, end) + "'", "it in a session of its own", "what follows", "the next command may run on");
            }
            else if ((effects & SessionEffects.SequenceValue) != 0 && OutsideTransaction.IsProven(use))
            {
                use.Report(Descriptor, i, end, null, "'" + use.Script.Summary(i, end) + "'", "RETURNING, or do both in one transaction", "the answer", "the earlier command may have run on");
            }
        }
    }

    // EXECUTE calls procedures in other dialects.
    private static bool IsPostgreSqls(SqlTokens tokens, SqlScriptStatement statement)
        => !tokens.Is(statement.First, "EXECUTE") || statement.End == statement.First + 2 || tokens.Is(statement.First + 2, '(');

    // Two words, and the name of a cursor.
    private static int EndOfHead(SqlScript script, SqlScriptStatement statement)
        => script.Tokens.IsName(statement.First + 1) ? statement.First + 2 : statement.First + 1;
}
