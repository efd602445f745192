using EfPooling.AdoNet.Sql;
using EfPooling.Analyzers.Sql;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0006: BEGIN, COMMIT, ROLLBACK and PREPARE TRANSACTION as SQL text. Savepoints are not reported.</summary>
internal sealed class TransactionTextRule() : SqlRule(Descriptors.TransactionText)
{
    // What may follow in PostgreSQL; BEGIN TRY and BEGIN IMMEDIATE are of others.
    private static readonly WordTable Followers = new("work transaction isolation read not deferrable and prepared");

    public override bool Concerns(SqlUse use) => !use.Script.IsOnlyData && use.IsPooled && (!use.Script.IsSelfContained || use.IsInTransaction);

    public override void Check(SqlUse use, SqlScriptStatement statement)
    {
        var tokens = use.Script.Tokens;
        var first = statement.First;
        var isTransaction = statement.Kind == StatementKind.Transaction
            && (statement.End == first + 1 || tokens.IsAny(first + 1, Followers));
        if (isTransaction || statement.Kind == StatementKind.PrepareTransaction)
        {
            var end = tokens.IsAny(first + 1, Followers) && statement.End > first + 1 ? first + 2 : first + 1;
            use.Report(Descriptor, first, end, null, use.Script.Summary(first, statement.End), Instead(tokens, first));
        }
    }

    private static string Instead(SqlTokens tokens, int first) => tokens.Raw(first).ToUpperInvariant() switch
    {
        "BEGIN" or "START" => "BeginTransactionAsync",
        "PREPARE" => "a TransactionScope, which prepares by itself",
        "ROLLBACK" or "ABORT" => "RollbackAsync of the transaction, or its DisposeAsync",
        _ => "CommitAsync of the transaction",
    };
}
