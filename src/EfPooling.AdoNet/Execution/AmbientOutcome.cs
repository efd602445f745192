using System.Transactions;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The end of the part of a pool in one ambient <see cref="Transaction"/>: hears of the outcome, commits, prepares or rolls back, and ends
/// the lease.
/// </summary>
/// <remarks>
/// Commits and rolls back itself: Npgsql's resource manager goes on using the connection after it has told the transaction that it is
/// done, when the connection may be the next owner's. Here the lease ends first.
/// </remarks>
internal sealed class AmbientOutcome(PoolContext pool, AmbientEnlistment enlistment) : ISinglePhaseNotification, TransactionParticipants.INamed
{
    // Of the transaction that the first phase prepared. Used by one notification after the other: the transaction sends none before it
    // has the answer to the one before.
    private string? _preparedName;

    public string PoolName => pool.Name;

    void ISinglePhaseNotification.SinglePhaseCommit(SinglePhaseEnlistment singlePhaseEnlistment)
    {
        if (enlistment.Complete(out var isBusy) is not { } lease)
        {
            if (isBusy)
            {
                singlePhaseEnlistment.Aborted(Busy());
            }
            else
            {
                singlePhaseEnlistment.Committed();
            }

            return;
        }

        var (error, isUnknown) = TryCommit(lease);
        lease.EndQuietly(); // First, so that code that hears of the outcome finds the server connection given back.
        if (error is null)
        {
            singlePhaseEnlistment.Committed();
        }
        else if (isUnknown)
        {
            singlePhaseEnlistment.InDoubt(error);
        }
        else
        {
            singlePhaseEnlistment.Aborted(error);
        }
    }

    void IEnlistmentNotification.Prepare(PreparingEnlistment preparingEnlistment)
    {
        if (enlistment.Complete(out var isBusy) is not { } lease)
        {
            if (isBusy)
            {
                preparingEnlistment.ForceRollback(Busy());
            }
            else
            {
                preparingEnlistment.Done();
            }

            return;
        }

        var name = Guid.NewGuid().ToString();
        try
        {
            if (lease.Server.IsBroken)
            {
                throw new TransactionBrokenException(enlistment.BrokenBy); // Another session in its place would take PREPARE TRANSACTION for a mistake, and warn only.
            }

            lease.Server.Execute("SELECT 1"); // In a failed transaction PREPARE TRANSACTION rolls back, and the server does not call that an error.
            lease.Server.Execute($"PREPARE TRANSACTION '{name}'");
        }
        catch (Exception e)
        {
            lease.Server.Observe(e);
            lease.EndQuietly();
            preparingEnlistment.ForceRollback(e is PostgresException { SqlState: PostgresErrorCodes.ObjectNotInPrerequisiteState, Routine: "MarkAsPreparing" }
                ? new TwoPhaseCommitException($"pool '{pool.Name}' and others", enlistment.DescribeServer(), e)
                : e);
            return;
        }

        _preparedName = name;
        enlistment.PutBack(lease);
        preparingEnlistment.Prepared();
    }

    void IEnlistmentNotification.Commit(Enlistment told)
    {
        EndPrepared("COMMIT");
        told.Done();
    }

    void IEnlistmentNotification.Rollback(Enlistment told)
    {
        RollBack();
        told.Done();
    }

    void IEnlistmentNotification.InDoubt(Enlistment told)
    {
        RollBack();
        told.Done();
    }

    private (Exception? Error, bool IsUnknown) TryCommit(TransactionLease lease)
    {
        if (lease.Server.IsBroken)
        {
            return (new TransactionBrokenException(enlistment.BrokenBy), false);
        }

        try
        {
            lease.Inner.Commit();
            return (null, false);
        }
        catch (Exception e)
        {
            lease.Server.Observe(e);
            return lease.Server.IsBroken ? (new CommitOutcomeUnknownException(e), true) : (e, false);
        }
    }

    // Not by commit: what was prepared is rolled back, what runs is stopped and rolls back when it ends.
    private void RollBack()
    {
        if (_preparedName is not null)
        {
            EndPrepared("ROLLBACK");
            return;
        }

        var running = enlistment.RunningStatement;
        enlistment.Complete(out _)?.RollBackAndEndQuietly();
        running?.Cancel();
    }

    private void EndPrepared(string verb)
    {
        var (lease, name) = (enlistment.Complete(out _), _preparedName);
        _preparedName = null;
        if (lease is null)
        {
            return;
        }

        try
        {
            lease.Server.Execute($"{verb} PREPARED '{name}'");
        }
        catch (Exception e)
        {
            lease.Server.Observe(e);
            Log.EndPreparedFailed(pool.Logger, e, pool.Name, verb, name!);
        }

        lease.EndQuietly();
    }

    private static InvalidOperationException Busy()
        => new("A statement of the ambient transaction is still running, or its reader is open, so the transaction cannot commit and is rolled back. Close readers and await commands before the scope ends.");
}
