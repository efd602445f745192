using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>Checks the batches under way every few milliseconds, while there are any. Thread-safe.</summary>
internal sealed class StallDetector
{
    private readonly Lock _gate = new();
    private readonly HashSet<ReadBatch> _batches = []; // guarded by _gate: under way
    private readonly ITimer _timer;
    private bool _isOn; // guarded by _gate
    private int _isLooking; // Interlocked only

    /// <param name="time">The pool's clock.</param>
    public StallDetector(TimeProvider time)
    {
        ITimer? timer = null;
        CleanContext.Run(
            static create => create(),
            () => timer = time.CreateTimer(static self => ((StallDetector)self!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _timer = timer!;
    }

    /// <summary>How often batches under way are checked.</summary>
    public static TimeSpan Period => TimeSpan.FromMilliseconds(10);

    public void Add(ReadBatch batch)
    {
        lock (_gate)
        {
            _batches.Add(batch);
            if (!_isOn)
            {
                _isOn = _timer.Change(Period, Period);
            }
        }
    }

    public void Remove(ReadBatch batch)
    {
        lock (_gate)
        {
            _batches.Remove(batch);
        }
    }

    // One check at a time. It never waits, because all timers share the threads.
    private void Look()
    {
        if (Interlocked.Exchange(ref _isLooking, 1) != 0)
        {
            return;
        }

        foreach (var batch in UnderWay())
        {
            batch.Watch();
        }

        Volatile.Write(ref _isLooking, 0);
    }

    private ReadBatch[] UnderWay()
    {
        lock (_gate)
        {
            if (_batches.Count == 0)
            {
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _isOn = false;
            }

            return [.. _batches];
        }
    }
}
