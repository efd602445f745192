using System.Data.Common;

namespace EfPooling.AdoNet;

/// <summary>
/// The connection broke between the sending of a COMMIT and the server's answer, or of a statement outside a transaction that is
/// not known to be a read. The writes may or may not have been committed. Read them before running them again. For that reason
/// not transient for retrying execution strategies.
/// </summary>
public sealed class CommitOutcomeUnknownException : DbException
{
    internal CommitOutcomeUnknownException(Exception cause)
        : base("The connection broke while COMMIT was on the wire: the transaction may or may not have been committed. Read what it wrote to find out before running it again.", cause)
    {
    }

    private CommitOutcomeUnknownException(string message, Exception cause)
        : base(message, cause)
    {
    }

    /// <inheritdoc/>
    public override bool IsTransient => false;

    internal static CommitOutcomeUnknownException OfStatement(Exception cause)
        => new("The connection broke after the statement was sent and before the server answered: what it wrote outside a transaction may or may not have been committed. Read it to find out before running the statement again.", cause);
}
