using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>Looks at the trains under way now and then, while there are any. Thread-safe.</summary>
internal sealed class TrainWatch
{
    private readonly Lock _gate = new();
    private readonly HashSet<Train> _trains = []; // guarded by _gate: those under way
    private readonly ITimer _timer;
    private bool _isOn; // guarded by _gate
    private int _isLooking; // Interlocked only

    /// <param name="time">The pool's.</param>
    public TrainWatch(TimeProvider time)
    {
        ITimer? timer = null;
        CleanContext.Run(
            static create => create(),
            () => timer = time.CreateTimer(static self => ((TrainWatch)self!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _timer = timer!;
    }

    /// <summary>How often trains under way are looked at.</summary>
    public static TimeSpan Period => TimeSpan.FromMilliseconds(10);

    public void Add(Train train)
    {
        lock (_gate)
        {
            _trains.Add(train);
            if (!_isOn)
            {
                _isOn = _timer.Change(Period, Period);
            }
        }
    }

    public void Remove(Train train)
    {
        lock (_gate)
        {
            _trains.Remove(train);
        }
    }

    // One look at a time; and it never waits for anything, because all timers share the threads.
    private void Look()
    {
        if (Interlocked.Exchange(ref _isLooking, 1) != 0)
        {
            return;
        }

        foreach (var train in UnderWay())
        {
            train.Watch();
        }

        Volatile.Write(ref _isLooking, 0);
    }

    private Train[] UnderWay()
    {
        lock (_gate)
        {
            if (_trains.Count == 0)
            {
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _isOn = false;
            }

            return [.. _trains];
        }
    }
}
