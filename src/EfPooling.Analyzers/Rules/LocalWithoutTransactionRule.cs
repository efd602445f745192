using EfPooling.AdoNet.Sql;
using EfPooling.Analyzers.Sql;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0013: <c>SET LOCAL</c> and its kin where there is no transaction: in <c>ConnectionOpened</c> of an interceptor, and where the code shows that none
/// is open. Silent where it may be in doubt: under ambient transactions, beside other statements in the same text, in a batch.
/// </summary>
internal sealed class LocalWithoutTransactionRule() : SqlRule(Descriptors.LocalWithoutTransaction)
{
    private static readonly WordTable Locks = new("pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared");

    public override bool Concerns(SqlUse use)
        => use.Script.Statements.Any(IsCandidate) && use.Script.Statements.All(statement => IsCandidate(statement) && Parts(use.Script, statement).Count > 0 || IsOfTransaction(use.Script, statement))
            && (IsAtOpening(use) ? use.Transaction == TransactionState.NoneHere && !ProjectTransactions.HasAmbient(use.Compilation, use.Cancellation) : OutsideTransaction.IsProven(use));

    public override void Check(SqlUse use, SqlScriptStatement statement)
    {
        var isAtOpening = IsAtOpening(use);
        foreach (var (first, end, summary, isSetting) in Parts(use.Script, statement))
        {
            var instead = (isAtOpening ? "Run it in TransactionStarted of a DbTransactionInterceptor" : "Run it between BeginTransactionAsync and CommitAsync")
                + (isAtOpening || isSetting ? ", or declare the value with SessionSetting(...)" : "");
            use.Report(Descriptor, first, end, null, summary, isAtOpening ? "when a connection opens" : "here", instead);
        }
    }

    private static bool IsAtOpening(SqlUse use) => Interceptors.IsConnectionOpened(use.Member, KnownSymbols.Of(use.Compilation));

    private static bool IsCandidate(SqlScriptStatement statement) => statement.Kind is StatementKind.SetLocal or StatementKind.Select or StatementKind.Create;

    // SET TRANSACTION and SET CONSTRAINTS are others' business, and no work that the rest could be for.
    private static bool IsOfTransaction(SqlScript script, SqlScriptStatement statement) => statement.Kind == StatementKind.SetLocal && !script.Tokens.Is(statement.First + 1, "LOCAL");

    // What of a statement ends with the transaction. None if the statement does something else besides, which it may be for.
    private static List<(int First, int End, string Summary, bool IsSetting)> Parts(SqlScript script, SqlScriptStatement statement)
    {
        var (tokens, parts) = (script.Tokens, new List<(int, int, string, bool)>());
        switch (statement.Kind)
        {
            case StatementKind.SetLocal when tokens.Is(statement.First + 1, "LOCAL"):
                parts.Add((statement.First, statement.First + 2, script.Summary(statement.First, statement.End), true));
                break;
            case StatementKind.Create when TemporaryTable.DropsAtCommit(tokens, statement) is { } head:
                parts.Add((statement.First, head, script.Summary(statement.First, statement.End), false));
                break;
            case StatementKind.Select:
                for (var i = statement.First; i < statement.End; i++)
                {
                    if (tokens.Is(i, "FROM"))
                    {
                        return [];
                    }

                    var isCall = tokens.IsName(i) && tokens.Is(i + 1, '(');
                    var isSetting = isCall && tokens.Name(i) == "set_config" && IsLocal(script, statement, i);
                    if (isSetting || (isCall && Locks.Contains(tokens.Name(i))))
                    {
                        var end = tokens.Close(i + 1) + 1;
                        parts.Add((i, end, script.Summary(i, end), isSetting));
                    }
                }

                break;
        }

        return parts;
    }

    // The classifier has found no change of the session, and nothing stands there that it cannot read.
    private static bool IsLocal(SqlScript script, SqlScriptStatement statement, int call)
        => (statement.Effects & (SessionEffects.Settings | SessionEffects.UnnamedSettings)) == 0
            && script.Tokens.Is(script.Tokens.Close(call + 1) - 1, "TRUE");
}
