using System.Diagnostics;

namespace EfPooling.Core;

/// <summary>
/// Ordered by the length of the wait, wherever a caller waited before; equal waits are ordered by arrival. Removal from the
/// middle is O(1). Part of <see cref="PoolLedger{T}"/>, guarded by the gate.
/// </summary>
internal sealed class WaiterQueue<T>
    where T : class
{
    private Waiter<T>? _last;

    public Waiter<T>? First { get; private set; }

    public int Count { get; private set; }

    /// <summary>How many waiters may use the reserve.</summary>
    public int Entitled { get; private set; }

    public void Enqueue(Waiter<T> waiter)
    {
        Debug.Assert(!waiter.IsQueued, "A waiter queues once.");
        var ahead = _last;
        while (ahead is not null && ahead.Since > waiter.Since)
        {
            ahead = ahead.Previous; // Seldom: most callers have only just begun to wait.
        }

        waiter.Previous = ahead;
        waiter.Next = ahead is null ? First : ahead.Next;
        if (waiter.Previous is null)
        {
            First = waiter;
        }
        else
        {
            waiter.Previous.Next = waiter;
        }

        if (waiter.Next is null)
        {
            _last = waiter;
        }
        else
        {
            waiter.Next.Previous = waiter;
        }

        waiter.IsQueued = true;
        Count++;
    }

    /// <returns>Whether this call removed it; <c>false</c> means that another flow completes it.</returns>
    public bool Remove(Waiter<T> waiter)
    {
        if (!waiter.IsQueued)
        {
            return false;
        }

        if (waiter.Previous is null)
        {
            First = waiter.Next;
        }
        else
        {
            waiter.Previous.Next = waiter.Next;
        }

        if (waiter.Next is null)
        {
            _last = waiter.Previous;
        }
        else
        {
            waiter.Next.Previous = waiter.Previous;
        }

        waiter.Next = waiter.Previous = null;
        waiter.IsQueued = false;
        Count--;
        Entitled -= waiter.MayUseReserve ? 1 : 0;
        return true;
    }

    public bool Entitle(Waiter<T> waiter)
    {
        if (!waiter.IsQueued || waiter.MayUseReserve)
        {
            return false;
        }

        waiter.MayUseReserve = true;
        Entitled++;
        return true;
    }
}
