namespace EfPooling.AdoNet;

/// <summary>
/// Which read of a batch has the current result slot, since when, and which reads are still in the batch behind it. Thread-safe.
/// </summary>
/// <param name="multiplexer">Learns which reads are requeued.</param>
/// <param name="reads">In the order of their results.</param>
/// <param name="cancellation">The cancellation of the batch.</param>
/// <param name="time">The pool's clock.</param>
internal sealed class ResultSlots(ReadMultiplexer multiplexer, BatchedRead[] reads, BatchCancellation cancellation, TimeProvider time)
{
    private const int LooksBeforeCancel = 25;

    private readonly Lock _gate = new();
    private int _length = reads.Length; // guarded by _gate: reads from here on were requeued
    private int _current = -1; // guarded by _gate for writing: the read that has the slot, or whose result is awaited; -1 before the first one
    private long _started; // guarded by _gate: when the reader began to move to the current read, not counting waits for a thread
    private long _given; // guarded by _gate: when the current read was told
    private bool _awaitsThread; // guarded by _gate: the current read has been told, and waits for a thread
    private int _looks; // guarded by _gate: how often Watch was called since then
    private bool _isFinishing; // guarded by _gate: the results of requeued reads are being skipped

    public string? CurrentText => reads[Math.Clamp(Volatile.Read(ref _current), 0, reads.Length - 1)].Text;

    /// <summary>
    /// Whether no result follows the current one, not even the result of a read that has left. Asked by the user of the reader.
    /// </summary>
    public bool IsLast => _current + 1 >= reads.Length;

    /// <summary>How long the current slot has taken, in ticks.</summary>
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
    /// <returns>Whether it moves to the result of a read that was not requeued.</returns>
    public bool TryAdvance(out BatchedRead next)
    {
        lock (_gate)
        {
            next = reads[Math.Min(++_current, reads.Length - 1)];
            (_started, _looks) = (time.GetTimestamp(), 0);
            return _current < _length;
        }
    }

    /// <summary>The reader is at the read's result.</summary>
    /// <returns>Whether the read had not left, and was told.</returns>
    public bool TryHandOver(BatchedRead read)
    {
        lock (_gate)
        {
            (_given, _awaitsThread) = (time.GetTimestamp(), true);
        }

        if (read.TryBeginSlot())
        {
            return true;
        }

        lock (_gate)
        {
            _awaitsThread = false;
        }

        return false;
    }

    /// <summary>The read in the slot has got a thread.</summary>
    public void OnBegun()
    {
        lock (_gate)
        {
            _started += time.GetTimestamp() - _given;
            _awaitsThread = false;
        }
    }

    /// <summary>Asks the server to stop if this read has the slot. Does not wait for it.</summary>
    public void CancelServer(BatchedRead read)
    {
        lock (_gate)
        {
            if (_current >= 0 && _current < reads.Length && ReferenceEquals(reads[_current], read))
            {
                cancellation.Begin();
            }
        }
    }

    /// <summary>The batch ends here.</summary>
    /// <returns>The read whose result was awaited, and those behind it.</returns>
    public BatchedRead[] TakeRest()
    {
        lock (_gate)
        {
            var head = Math.Max(_current, 0);
            var rest = head < _length ? reads[head.._length] : [];
            _length = Math.Min(_length, head);
            return rest;
        }
    }

    /// <summary>From now on results are skipped.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            _isFinishing = true;
            _looks = 0;
        }
    }

    /// <summary>
    /// Requeues the reads behind a read that takes too long. If the statement itself takes too long, also requeues the read that
    /// waits for its result. The number of calls counts, not the clock: on a machine that is too busy to run the reads, the calls
    /// are late too.
    /// </summary>
    public void Watch()
    {
        bool isRequeued;
        bool isReading;
        BatchedRead[] rest;
        lock (_gate)
        {
            if (_awaitsThread)
            {
                return; // The reads behind it would wait for a thread elsewhere too.
            }

            _looks++;
            var head = Math.Max(_current, 0);
            if (_isFinishing || head >= _length)
            {
                CancelIfLate(); // No read wants the server's present result.
                return;
            }

            if (_looks * StallDetector.Period.Ticks <= (_current < 0 ? multiplexer.Eligibility.Times.Limit : ResponseTimes.StallLimit))
            {
                return;
            }

            isRequeued = reads[head].TryRequeue(BatchOutcome.RunSolo);
            isReading = !isRequeued && reads[head].IsInSlot;
            rest = reads[(head + 1).._length];
            _length = isReading ? head + 1 : head;
        }

        multiplexer.OnRequeued(isRequeued ? 1 : 0, RequeueReason.Stalled, error: null);

        // If the server has not answered, the slow read is unknown, so each runs solo.
        multiplexer.Requeue(rest, RequeueReason.Stalled, isReading ? BatchOutcome.LeadNext : BatchOutcome.RunSolo, error: null);
    }

    // Requires the gate. A server that pauses for a moment is no reason to cancel its work.
    private void CancelIfLate()
    {
        if (_looks > LooksBeforeCancel)
        {
            cancellation.Begin();
            _looks = 0;
        }
    }
}
