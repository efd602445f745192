namespace EfPooling.Core;

/// <summary>
/// The idle slots in the order in which they became idle. LIFO, so that surplus ages at the bottom, or FIFO for round robin.
/// Part of <see cref="PoolLedger{T}"/>, guarded by the gate. A ring buffer: it never allocates after construction.
/// </summary>
internal sealed class IdleStack<T>(int capacity, bool roundRobin)
    where T : class
{
    // How many connections are searched for an affinity. Limited because the gate is held meanwhile.
    private const int MostLooks = 64;

    private readonly Slot<T>?[] _ring = new Slot<T>?[capacity];
    private int _bottom;

    public int Count { get; private set; }

    /// <param name="index">0 is the slot that has been idle the longest.</param>
    public Slot<T> this[int index] => _ring[Wrap(_bottom + index)]!;

    public void Push(Slot<T> slot) => _ring[Wrap(_bottom + Count++)] = slot;

    /// <summary>Takes the first slot with this affinity; if there is none, the first slot.</summary>
    public Slot<T> Pop(object? affinity)
    {
        var found = First(affinity);
        var slot = this[found];
        RemoveAt(found);
        return slot;
    }

    public void RemoveAt(int index)
    {
        if (index == 0)
        {
            _ring[_bottom] = null;
            _bottom = Wrap(_bottom + 1);
            Count--;
            return;
        }

        for (; index < Count - 1; index++)
        {
            _ring[Wrap(_bottom + index)] = _ring[Wrap(_bottom + index + 1)];
        }

        _ring[Wrap(_bottom + --Count)] = null;
    }

    private int First(object? affinity)
    {
        var (first, step) = roundRobin ? (0, 1) : (Count - 1, -1);
        for (var look = 0; look < Count && look < MostLooks; look++)
        {
            if (ReferenceEquals(this[first + (look * step)].Affinity, affinity))
            {
                return first + (look * step);
            }
        }

        return first;
    }

    // An index is below twice the capacity, and a comparison is cheaper than a division.
    private int Wrap(int index) => index < _ring.Length ? index : index - _ring.Length;
}
