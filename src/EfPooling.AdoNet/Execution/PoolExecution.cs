using System.Collections.Concurrent;
using System.Transactions;

namespace EfPooling.AdoNet;

/// <summary>What the statements of one pool share while they run. Thread-safe.</summary>
/// <param name="pool">Whose statements they are.</param>
/// <param name="guard">Sees to it that each connection does one thing at a time.</param>
/// <param name="multiplexer">Where reads meet that share round trips; <c>null</c> if none may.</param>
internal sealed class PoolExecution(PoolContext pool, ConcurrencyGuard guard, ReadMultiplexer? multiplexer)
{
    private readonly ConcurrentDictionary<Transaction, AmbientEnlistment> _enlistments = new();

    public PoolContext Pool => pool;

    public ConcurrencyGuard Guard => guard;

    public ReadMultiplexer? ReadMultiplexer => multiplexer;

    /// <summary>Takes part in a transaction, together with the other connections in it unless <paramref name="session"/> pins this one.</summary>
    public AmbientEnlistment Enlist(Transaction transaction, PinnedSession? session)
    {
        if (session is not null)
        {
            var own = new AmbientEnlistment(this, transaction, session);
            own.Watch();
            return own;
        }

        if (_enlistments.TryGetValue(transaction, out var existing))
        {
            return existing;
        }

        var ours = new AmbientEnlistment(this, transaction, session: null);
        var enlistment = _enlistments.GetOrAdd(transaction, ours);
        if (ReferenceEquals(enlistment, ours))
        {
            ours.Watch();
        }

        return enlistment;
    }

    public void Forget(Transaction transaction) => _enlistments.TryRemove(transaction, out _);
}
