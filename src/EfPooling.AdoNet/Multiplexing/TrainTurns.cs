namespace EfPooling.AdoNet;

/// <summary>Whose turn it is in a train, since when, and who is still aboard behind it. Thread-safe.</summary>
/// <param name="station">Is told who is set down.</param>
/// <param name="passengers">In the order of their turns.</param>
/// <param name="brake">Of the train.</param>
/// <param name="time">The pool's.</param>
internal sealed class TrainTurns(Station station, Passenger[] passengers, TrainBrake brake, TimeProvider time)
{
    private const int GlancesBeforeCancel = 25;

    private readonly Lock _gate = new();
    private int _length = passengers.Length; // guarded by _gate: passengers from here on were set down
    private int _current = -1; // guarded by _gate for writing: whose turn it is, or whose result is awaited; -1 before the first one
    private long _started; // guarded by _gate: when the reader began to move to the current passenger, waits for a thread left out
    private long _given; // guarded by _gate: when the current passenger was told
    private bool _awaitsThread; // guarded by _gate: it has been told, and waits for a thread
    private int _glances; // guarded by _gate: how often Watch came since then
    private bool _isFinishing; // guarded by _gate: the results of those who were set down are being skipped

    public string? CurrentText => passengers[Math.Clamp(Volatile.Read(ref _current), 0, passengers.Length - 1)].Text;

    /// <summary>Whether no result is behind the current one, also not of somebody who has left. Asked by whoever uses the reader.</summary>
    public bool IsLast => _current + 1 >= passengers.Length;

    /// <summary>In ticks, how long the current turn takes.</summary>
    public long Elapsed
    {
        get
        {
            lock (_gate)
            {
                return time.GetElapsedTime(_started).Ticks;
            }
        }
    }

    /// <summary>The reader moves on.</summary>
    /// <returns>Whether to the result of somebody who was not set down.</returns>
    public bool TryAdvance(out Passenger next)
    {
        lock (_gate)
        {
            next = passengers[Math.Min(++_current, passengers.Length - 1)];
            (_started, _glances) = (time.GetTimestamp(), 0);
            return _current < _length;
        }
    }

    /// <summary>The reader stands at the passenger's result.</summary>
    /// <returns>Whether it is still there, and told.</returns>
    public bool TryGive(Passenger passenger)
    {
        lock (_gate)
        {
            (_given, _awaitsThread) = (time.GetTimestamp(), true);
        }

        if (passenger.TryBeginTurn())
        {
            return true;
        }

        lock (_gate)
        {
            _awaitsThread = false;
        }

        return false;
    }

    /// <summary>Whose turn it is has a thread.</summary>
    public void OnBegun()
    {
        lock (_gate)
        {
            _started += time.GetTimestamp() - _given;
            _awaitsThread = false;
        }
    }

    /// <summary>Asks the server to stop, if this passenger has its turn. Does not wait for it.</summary>
    public void CancelServer(Passenger passenger)
    {
        lock (_gate)
        {
            if (_current >= 0 && _current < passengers.Length && ReferenceEquals(passengers[_current], passenger))
            {
                brake.Pull();
            }
        }
    }

    /// <summary>The train goes no further.</summary>
    /// <returns>The one whose result was awaited, and those behind it.</returns>
    public Passenger[] TakeRest()
    {
        lock (_gate)
        {
            var head = Math.Max(_current, 0);
            var rest = head < _length ? passengers[head.._length] : [];
            _length = Math.Min(_length, head);
            return rest;
        }
    }

    /// <summary>From here on results are skipped.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            _isFinishing = true;
            _glances = 0;
        }
    }

    /// <summary>
    /// Sets down those who wait behind somebody who takes too long; and if what takes long is a statement, whoever waits for its result too. Called now
    /// and then, and it is the calls that count, not the clock: on a machine that is too busy to run turns they are late themselves.
    /// </summary>
    public void Watch()
    {
        bool isSetDown;
        bool isReading;
        Passenger[] rest;
        lock (_gate)
        {
            if (_awaitsThread)
            {
                return; // So would those behind it elsewhere.
            }

            _glances++;
            var head = Math.Max(_current, 0);
            if (_isFinishing || head >= _length)
            {
                BrakeIfLate(); // Nobody wants what the server is at.
                return;
            }

            if (_glances * TrainWatch.Period.Ticks <= (_current < 0 ? station.Rights.Times.Limit : ResponseTimes.StallLimit))
            {
                return;
            }

            isSetDown = passengers[head].TrySetDown(BoardingOutcome.RunAlone);
            isReading = !isSetDown && passengers[head].IsInTurn;
            rest = passengers[(head + 1).._length];
            _length = isReading ? head + 1 : head;
        }

        station.OnSetDown(isSetDown ? 1 : 0, SetDownReason.Stalled, error: null);

        // Which of them is the slow one cannot be said if the server has not answered: let each find out alone.
        station.SetDown(rest, SetDownReason.Stalled, isReading ? BoardingOutcome.DriveNow : BoardingOutcome.RunAlone, error: null);
    }

    // Requires the gate. A server that stands still for a moment is no reason to cancel all that it is at.
    private void BrakeIfLate()
    {
        if (_glances > GlancesBeforeCancel)
        {
            brake.Pull();
            _glances = 0;
        }
    }
}
