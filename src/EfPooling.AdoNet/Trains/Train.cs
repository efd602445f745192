using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// One round trip that several reads share: a batch, whose reader goes from passenger to passenger. Who has its turn reads its own result from it;
/// ending the turn moves the reader on to the next one.
/// </summary>
/// <remarks>
/// The batch has no error barriers: after an error the server skips what is behind it, whose passengers run again elsewhere anyway. With barriers, Npgsql 10
/// loses count of the answers when reading fails half-way, and reads the same error for ever when rows fail in a result that it skips.
/// At each moment one flow uses the reader: the one that sends the batch or moves on, or the passenger that has its turn. Those behind can be
/// set down at any moment, because they are pure reads and nobody has seen anything of them; the train then ends with the present turn.
/// </remarks>
internal sealed class Train(Station station, EfPooling.Core.Lease<ServerConnection> lease, TimeProvider time)
{
    private const int GlancesBetweenCancels = 100;

    private readonly Lock _gate = new();
    private readonly long _departed = time.GetTimestamp();
    private Passenger[] _passengers = []; // written before departure
    private int _length; // guarded by _gate: passengers from here on were set down
    private int _current = -1; // guarded by _gate for writing: whose turn it is, or whose result is awaited; -1 before the first one
    private long _turnStarted; // guarded by _gate: when the reader was given to the current passenger or began to move there
    private int _glances; // guarded by _gate: how often Watch came since then
    private NpgsqlBatch? _batch; // guarded by _gate
    private bool _isFinishing; // guarded by _gate: the results of those who were set down are being skipped
    private NpgsqlDataReader? _reader; // written once, before the first turn
    private volatile bool _isSent;

    public ServerConnection Server { get; } = lease.Connection;

    public NpgsqlDataReader Reader => _reader!;

    public int Length => _passengers.Length;

    public string? CurrentText => _passengers[Math.Clamp(Volatile.Read(ref _current), 0, Length - 1)].Text;

    /// <summary>The batch no longer needs the parameters of its passengers.</summary>
    public bool IsSent => _isSent;

    /// <param name="driver">Whose lease it is.</param>
    /// <param name="riders">At least one.</param>
    /// <returns>Whether any of them is still there.</returns>
    public bool TryFill(Passenger driver, Passenger[] riders)
    {
        var aboard = 1;
        var passengers = new Passenger[riders.Length + 1];
        passengers[0] = driver;
        foreach (var rider in riders)
        {
            if (rider.TryGetIn(this))
            {
                passengers[aboard++] = rider;
            }
        }

        _passengers = aboard == passengers.Length ? passengers : passengers[..aboard];
        _length = aboard;
        return aboard > 1 && driver.TryGetIn(this); // Last: from here on diagnostics of the driver's lease look at the train.
    }

    /// <summary>Sends the batch, and gives the first passenger its turn. Never throws: passengers are told.</summary>
    public async Task RunAsync()
    {
        try
        {
            var wanted = _passengers[0].Wanted;
            if (!Server.Settings.Are(wanted) && !Server.TrySend(wanted, inOwnTransaction: true))
            {
                await Server.ApplyAsync(wanted, isInTransaction: false, CancellationToken.None).ConfigureAwait(false);
            }

            var batch = CreateBatch();
            lock (_gate)
            {
                _batch = batch;
            }

            _reader = await batch.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            OnFailed(e);
            await FinishAsync().ConfigureAwait(false);
            return;
        }

        station.OnResponse(Elapsed(_departed));
        _isSent = true;
        Interlocked.MemoryBarrier(); // See Passenger.Cancel.
        foreach (var passenger in _passengers)
        {
            passenger.OnSent();
        }

        lock (_gate)
        {
            _current = 0;
            (_turnStarted, _glances) = (time.GetTimestamp(), 0);
        }

        if (!_passengers[0].TryBeginTurn())
        {
            await MoveOnAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Gives the reader to the next passenger. The task ends when that is done or, after the last one, when the server connection is given back.</summary>
    public Task EndTurnAsync(Passenger passenger)
    {
        long started;
        bool isLast;
        lock (_gate)
        {
            started = _turnStarted;
            isLast = _current + 1 >= _length;
        }

        station.OnTurnEnded(passenger, Elapsed(started));
        var moving = MoveOnAsync();
        return isLast ? moving : Task.CompletedTask; // Nobody waits for the result of somebody else.
    }

    /// <summary>
    /// Reading in a turn failed. Npgsql 10 then takes the rest of the batch for read: statements in it that it was about to prepare count as prepared for
    /// ever, and after any other failure than the server's answers may still be to come. So the connection must be closed.
    /// </summary>
    public void OnTurnFailed(Exception error)
    {
        if (error is not InvalidCastException && _current + 1 < Length)
        {
            Server.Mark(Taint.OutOfStep);
        }
    }

    /// <summary>Asks the server to stop, if this passenger has its turn or its result is awaited.</summary>
    public void CancelServer(Passenger passenger)
    {
        lock (_gate)
        {
            if (_batch is { } batch && ReferenceEquals(_passengers[Math.Max(_current, 0)], passenger))
            {
                batch.Cancel();
            }
        }
    }

    /// <summary>
    /// Sets down those who wait behind somebody who takes too long. Called now and then, and it is the calls that count, not the clock: on a
    /// machine that is too busy to run turns they are late themselves.
    /// </summary>
    public void Watch()
    {
        Passenger[] behind;
        Passenger? left = null;
        lock (_gate)
        {
            var limit = _current < 0 ? station.ResponseLimit : Station.StallLimit;
            if (++_glances * Station.WatchPeriod.Ticks <= limit)
            {
                return;
            }

            if (_isFinishing)
            {
                SkipFaster();
                return;
            }

            var head = Math.Max(_current, 0);
            behind = head < _length ? _passengers[(head + 1).._length] : [];
            _length = Math.Min(_length, head + 1);
            if (head < _length && _passengers[head].HasLeft)
            {
                left = _passengers[head];
                _glances = -GlancesBetweenCancels;
            }
        }

        SetDown(behind, SetDownReason.Stalled, error: null);
        if (left is not null)
        {
            Server.Mark(Taint.Suspect);
            CancelServer(left); // Nobody wants its result any more.
        }
    }

    // Requires the gate.
    private void SkipFaster()
    {
        if (_batch is not null)
        {
            Server.Mark(Taint.Suspect);
            _batch.Cancel();
            _glances = -GlancesBetweenCancels;
        }
    }

    private NpgsqlBatch CreateBatch()
    {
        var batch = new NpgsqlBatch(Server.Npgsql) { Timeout = _passengers[0].CommandTimeout };
        foreach (var passenger in _passengers)
        {
            batch.BatchCommands.Add(NpgsqlInternals.CreateBatchCommand(passenger.Command));
        }

        return batch;
    }

    private async Task MoveOnAsync()
    {
        while (TryAdvance(out var next))
        {
            if (Server.IsSuspect)
            {
                OnLost(); // A cancel request that came too late for its passenger may hit the one whose statement the server is at.
                break;
            }

            try
            {
                if (!await Reader.NextResultAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    OnLost();
                    break;
                }
            }
            catch (Exception e)
            {
                OnFailed(e);
                break;
            }

            if (next.TryBeginTurn())
            {
                return;
            }
        }

        await FinishAsync().ConfigureAwait(false);
    }

    private bool TryAdvance(out Passenger next)
    {
        lock (_gate)
        {
            next = _passengers[Math.Min(++_current, Length - 1)];
            (_turnStarted, _glances) = (time.GetTimestamp(), 0);
            return _current < _length;
        }
    }

    // Somebody who had its turn was cancelled or failed, which took the results of those behind with it.
    private void OnLost() => SetDown(TakeRest(), SetDownReason.TrainEnded, error: null);

    // The statement whose result was awaited failed, or all of the train did.
    private void OnFailed(Exception error)
    {
        Server.Observe(error);
        Server.Mark(Taint.OutOfStep); // As in OnTurnFailed.
        var rest = TakeRest();
        if (rest.Length == 0)
        {
            return;
        }

        if (error is NpgsqlException { InnerException: TimeoutException })
        {
            rest[0].TryFail(error);
        }
        else
        {
            SetDown(rest[..1], SetDownReason.Failed, error);
        }

        // If it was not the server who complained, it may be anybody's fault, a parameter's for one: let each find out alone.
        SetDown(rest[1..], error is PostgresException || Server.IsBroken ? SetDownReason.TrainEnded : SetDownReason.Failed, error);
    }

    private Passenger[] TakeRest()
    {
        lock (_gate)
        {
            var head = Math.Max(_current, 0);
            var rest = head < _length ? _passengers[head.._length] : [];
            _length = Math.Min(_length, head);
            return rest;
        }
    }

    private void SetDown(Passenger[] passengers, SetDownReason reason, Exception? error)
        => station.OnSetDown(passengers.Count(passenger => passenger.TrySetDown(reason)), reason, error);

    private async Task FinishAsync()
    {
        lock (_gate)
        {
            _isFinishing = true;
            _glances = 0;
        }

        try
        {
            if (_reader is not null)
            {
                await _reader.DisposeAsync().ConfigureAwait(false); // Skips the results of those who were set down.
            }
        }
        catch (Exception e)
        {
            Server.Observe(e);
            Server.Mark(Taint.OutOfStep); // As in OnTurnFailed.
        }

        NpgsqlBatch? batch;
        lock (_gate)
        {
            batch = _batch;
            _batch = null; // No cancel request from here on: it might reach the next owner.
        }

        batch?.Dispose();
        Server.OnStatementEnded();
        station.OnEnded(this);
        await lease.EndAsync().ConfigureAwait(false);
    }

    private long Elapsed(long since) => time.GetElapsedTime(since).Ticks;
}
