namespace EfPooling.Core;

/// <summary>
/// The warm slots in the order in which they became warm. LIFO, so that surplus ages at the bottom, or FIFO for round robin.
/// Part of <see cref="PoolLedger{T}"/>, guarded by the gate. A ring buffer: it never allocates after construction.
/// </summary>
internal sealed class WarmStack<T>(int capacity, bool roundRobin)
    where T : class
{
    private readonly Slot<T>?[] _ring = new Slot<T>?[capacity];
    private int _bottom;

    public int Count { get; private set; }

    /// <param name="index">0 is the one that has been warm the longest.</param>
    public Slot<T> this[int index] => _ring[Wrap(_bottom + index)]!;

    public void Push(Slot<T> slot) => _ring[Wrap(_bottom + Count++)] = slot;

    public Slot<T> Pop()
    {
        var index = roundRobin ? _bottom : Wrap(_bottom + Count - 1);
        var slot = _ring[index]!;
        _ring[index] = null;
        _bottom = roundRobin ? Wrap(_bottom + 1) : _bottom;
        Count--;
        return slot;
    }

    public void RemoveAt(int index)
    {
        for (; index < Count - 1; index++)
        {
            _ring[Wrap(_bottom + index)] = _ring[Wrap(_bottom + index + 1)];
        }

        _ring[Wrap(_bottom + --Count)] = null;
    }

    // Indexes are below twice the capacity, and a comparison is cheaper than a division.
    private int Wrap(int index) => index < _ring.Length ? index : index - _ring.Length;
}
