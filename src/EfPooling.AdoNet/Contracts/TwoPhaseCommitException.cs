namespace EfPooling.AdoNet;

/// <summary>
/// A <c>System.Transactions</c> transaction has participants with server connections of their own. It needs a commit in two
/// phases, which the server does not allow (<c>max_prepared_transactions</c> is 0). Nothing was committed. The inner exception of
/// a <see cref="System.Transactions.TransactionAbortedException"/>.
/// </summary>
public sealed class TwoPhaseCommitException : InvalidOperationException
{
    internal TwoPhaseCommitException(string participants, string server, Exception? inner = null)
        : base(
            $"A transaction has several participants: {participants}. So it commits in two phases, which {server} does not allow: max_prepared_transactions is 0. Nothing was committed. " +
            "Let all of them use connections of one pool (context.Database.GetDbConnection(), or TransactionPoolingDataSource.OpenConnection), which share a server connection. If one need not commit together with the others, open it in a TransactionScope with TransactionScopeOption.Suppress, or with Enlist=false. Otherwise set max_prepared_transactions on the server.",
            inner)
    {
    }
}
