using System.Transactions;

namespace EfPooling.AdoNet;

/// <summary>
/// Hears that a transaction is about to commit, before any participant does (<see cref="EnlistmentOptions.EnlistDuringPrepareRequired"/>), and aborts it if that cannot work. Not sooner:
/// a transaction that is only ever rolled back, as those around tests are, needs no second phase.
/// </summary>
internal sealed class AmbientCheck(Func<Exception?> findObstacle) : IEnlistmentNotification
{
    void IEnlistmentNotification.Prepare(PreparingEnlistment preparingEnlistment)
    {
        Exception? obstacle;
        try
        {
            obstacle = findObstacle();
        }
        catch (Exception e)
        {
            obstacle = e; // Nothing may leave a callback of System.Transactions, or the others wait for their time-out.
        }

        if (obstacle is null)
        {
            preparingEnlistment.Done();
        }
        else
        {
            preparingEnlistment.ForceRollback(obstacle);
        }
    }

    void IEnlistmentNotification.Commit(Enlistment told) => told.Done();

    void IEnlistmentNotification.Rollback(Enlistment told) => told.Done();

    void IEnlistmentNotification.InDoubt(Enlistment told) => told.Done();
}
