namespace EfPooling.AdoNet;

/// <summary>
/// Keeps callers that hold a server connection and wait for a second one from waiting for each other. Thread-safe.
/// </summary>
/// <remarks>
/// Why there is no deadlock: <c>_blocked</c> is the number of server connections held by logical connections that wait for a
/// nested one. A wait that would make it all that the pool can have is refused. So while a wait runs, at least one server
/// connection is free, can be opened, or has a holder that does not wait for a nested one and gives it back. The pool hands it to
/// the oldest waiter, which either holds nothing else, and gives it back, or goes on nested. By induction every waiter is served.
/// A caller that holds connections in another way and waits for more (two logical connections in one flow) is limited by
/// QueryWaitTimeout.
/// </remarks>
internal sealed class NestedLeases(int capacity)
{
    private readonly Lock _gate = new();
    private int _blocked; // guarded by _gate

    /// <returns>Whether the caller may wait; if so, <see cref="EndWait"/> must follow.</returns>
    public bool TryBeginWait(Holder holder)
    {
        lock (_gate)
        {
            holder.HoldsReader = true;
            Change(holder, static holder => holder.Waiting++);
            if (_blocked < capacity)
            {
                return true;
            }

            Change(holder, static holder => holder.Waiting--);
            return false;
        }
    }

    /// <param name="holder">The same.</param>
    /// <param name="acquired">Whether it holds one more server connection now.</param>
    public void EndWait(Holder holder, bool acquired)
    {
        lock (_gate)
        {
            Change(holder, static holder => holder.Waiting--);
            if (acquired)
            {
                Change(holder, static holder => holder.Held++);
            }
        }
    }

    public void Remove(Holder holder)
    {
        lock (_gate)
        {
            Change(holder, static holder => holder.Held--);
        }
    }

    /// <summary>The operation that holds the gate has ended.</summary>
    public void RemoveReader(Holder holder)
    {
        lock (_gate)
        {
            Change(holder, static holder => holder.HoldsReader = false);
        }
    }

    private void Change(Holder holder, Action<Holder> change)
    {
        _blocked -= holder.Blocked;
        change(holder);
        _blocked += holder.Blocked;
    }

    /// <summary>The server connections that one logical connection holds. Guarded by the gate of <see cref="NestedLeases"/>.</summary>
    internal sealed class Holder
    {
        public int Held { get; set; } // by operations beside the gate

        public int Waiting { get; set; }

        public bool HoldsReader { get; set; } // the operation that holds the gate

        public int Blocked => Waiting > 0 ? Held + (HoldsReader ? 1 : 0) : 0;
    }
}
