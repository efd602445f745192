using System.Collections.Concurrent;
using System.Diagnostics;

namespace EfPooling.Benchmarks.Load.Relay;

/// <summary>
/// Holds what it is given for the same time and then sends it, from one thread. As the time is the same for all, what came first is due
/// first, and one queue is enough.
/// </summary>
internal sealed class DelayLine : IDisposable
{
    private readonly record struct Item(long Due, RelayDirection Direction, ReadOnlyMemory<byte> Bytes);

    private readonly BlockingCollection<Item> _items = [];
    private readonly Lock _order = new(); // time stamps are in the order of the queue
    private readonly long _delay; // in ticks of the stopwatch

    public DelayLine(TimeSpan delay)
    {
        _delay = (long)(delay.TotalSeconds * Stopwatch.Frequency);
        new Thread(Run) { IsBackground = true, Name = "delay line", Priority = ThreadPriority.Highest }.Start();
    }

    public void Add(RelayDirection direction, ReadOnlyMemory<byte> bytes)
    {
        lock (_order)
        {
            if (!_items.IsAddingCompleted)
            {
                _items.Add(new Item(Stopwatch.GetTimestamp() + _delay, direction, bytes));
            }
        }
    }

    /// <summary>What is on the line is still sent, in its time.</summary>
    public void Dispose()
    {
        lock (_order)
        {
            _items.CompleteAdding();
        }
    }

    private void Run()
    {
        PreciseWait.Prepare();
        foreach (var item in _items.GetConsumingEnumerable())
        {
            PreciseWait.Until(item.Due);
            item.Direction.Send(item.Bytes);
        }
    }
}
