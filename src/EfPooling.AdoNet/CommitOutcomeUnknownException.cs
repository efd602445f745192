using System.Data.Common;

namespace EfPooling.AdoNet;

/// <summary>
/// The connection broke after COMMIT was sent and before the server answered: the transaction may or may not have been committed.
/// Find out by reading what it wrote before running it again. Not transient for retrying execution strategies, for that reason.
/// </summary>
public sealed class CommitOutcomeUnknownException : DbException
{
    internal CommitOutcomeUnknownException(Exception cause)
        : base("The connection broke while COMMIT was on the wire: the transaction may or may not have been committed. Read what it wrote to find out before running it again.", cause)
    {
    }

    /// <inheritdoc/>
    public override bool IsTransient => false;
}
