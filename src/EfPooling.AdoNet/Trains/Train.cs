using System.Diagnostics;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// One round trip that several reads share: a batch, whose reader goes from passenger to passenger. Who has its turn reads its own result from it;
/// ending the turn moves the reader on to the next one.
/// </summary>
/// <remarks>
/// The batch has no error barriers: after an error the server skips what is behind it, whose passengers run again elsewhere anyway. With barriers, Npgsql 10
/// loses count of the answers when reading fails half-way, and reads the same error for ever when rows fail in a result that it skips.
/// So it is one implicit transaction, which its first statement makes read-only: whatever the catalog says of a function, nothing that writes runs twice,
/// and nothing is undone together with somebody else's failure.
/// At each moment one flow uses the reader: the one that sends the batch or moves on, or the passenger that has its turn. All others can leave
/// or be set down at any moment: they are pure reads, nobody has seen anything of them, and the batch has parameters of its own.
/// </remarks>
internal sealed class Train(Station station, Lease<ServerConnection> lease, TimeProvider time)
{
    private const string ReadOnly = $"SELECT pg_catalog.set_config('{SqlCatalog.TellTale}', 'on', true), pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) 'serializable'";
    private const int GlancesBeforeCancel = 25;

    private readonly Lock _gate = new();
    private long _sent = time.GetTimestamp(); // written by RunAsync only
    private Passenger[] _passengers = []; // written before departure
    private NpgsqlBatch? _batch; // written before departure
    private TrainBrake? _brake; // written before departure
    private int _length; // guarded by _gate: passengers from here on were set down
    private int _current = -1; // guarded by _gate for writing: whose turn it is, or whose result is awaited; -1 before the first one
    private long _turnStarted; // guarded by _gate: when the reader began to move to the current passenger, waits for a thread left out
    private long _turnGiven; // guarded by _gate: when the current passenger was told
    private bool _awaitsThread; // guarded by _gate: it has been told, and waits for a thread
    private int _glances; // guarded by _gate: how often Watch came since then
    private bool _isFinishing; // guarded by _gate: the results of those who were set down are being skipped
    private bool _isPreparing = true; // used by the flow that uses the reader: what the server prepares when it comes to it is not known before the first result
    private NpgsqlDataReader? _reader; // written once, before the first turn
    private long _share; // as _reader: ticks, what each statement cost the server if all have the same text; else 0

    public ServerConnection Server { get; } = lease.Connection;

    public NpgsqlDataReader Reader => _reader!;

    public int Length => _passengers.Length;

    /// <summary>Written before departure; null if nobody listens.</summary>
    public Activity? Span { get; private set; }

    public string? CurrentText => _passengers[Math.Clamp(Volatile.Read(ref _current), 0, Length - 1)].Text;

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
        if (aboard == 1)
        {
            return false;
        }

        _batch = CreateBatch(); // Now, because whoever leaves and boards another train has another statement there.
        _brake = new TrainBrake(_batch, Server, time);
        return driver.TryGetIn(this); // Last: from here on diagnostics of the driver's lease look at the train.
    }

    /// <summary>Sends the batch, and gives the first passenger its turn. Never throws: passengers are told. Call it in a clean context: it runs for all of them.</summary>
    public async Task RunAsync()
    {
        var isReady = false;
        bool isSerializable;
        Span = station.Tracing.StartTrain(Length);
        try
        {
            var wanted = _passengers[0].Wanted;
            if (!Server.Settings.Are(wanted) && !Server.TrySend(wanted, inOwnTransaction: true))
            {
                await Server.ApplyAsync(wanted, isInTransaction: false, CancellationToken.None).ConfigureAwait(false);
            }

            isReady = true;
            _sent = time.GetTimestamp();
            _reader = await _batch!.ExecuteReaderAsync(_passengers[0].Behavior, CancellationToken.None).ConfigureAwait(false);
            await _reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            isSerializable = _reader.GetBoolean(1);
            OnResponse(hasBegun: true);
        }
        catch (Exception e)
        {
            OnResponse(hasBegun: false);
            OnNotBegun(e, hasBeenSent: isReady);
            await FinishAsync().ConfigureAwait(false);
            return;
        }

        _isPreparing = NpgsqlInternals.IsPreparing(_batch);
        if (station.MayBegin(isSerializable))
        {
            await MoveOnAsync().ConfigureAwait(false);
        }
        else
        {
            SetDown(TakeRest(), SetDownReason.TrainEnded, BoardingOutcome.RunAlone, error: null);
            await FinishAsync().ConfigureAwait(false);
        }
    }

    // The server keeps results to itself until they fill a buffer or all statements are done. So what each of them costs it cannot be said, only what it costs on average.
    private void OnResponse(bool hasBegun)
    {
        var share = station.OnResponse(Elapsed(_sent), Length, hasBegun);
        var texts = 0;
        for (var i = 0; i < Length; i++)
        {
            if (IsFirstOfItsText(i))
            {
                texts++;
                station.OnServed(_passengers[i], share);
            }
        }

        _share = texts == 1 ? share : 0;
    }

    private bool IsFirstOfItsText(int passenger)
    {
        for (var i = 0; i < passenger; i++)
        {
            if (ReferenceEquals(_passengers[i].Record, _passengers[passenger].Record))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Gives the reader to the next passenger. The task ends when that is done or, after the last one, when the server connection is given back.</summary>
    public Task EndTurnAsync(Passenger passenger)
    {
        long started;
        bool isLast;
        lock (_gate)
        {
            started = _turnStarted;
            isLast = _current + 1 >= Length;
        }

        station.OnServed(passenger, Elapsed(started) + _share);
        var moving = MoveOnAsync();
        return isLast ? moving : Task.CompletedTask; // Nobody waits for the result of somebody else, also not of one who was set down.
    }

    /// <summary>Whose turn it is has a thread.</summary>
    public void OnTurnBegun()
    {
        lock (_gate)
        {
            _turnStarted += time.GetTimestamp() - _turnGiven;
            _awaitsThread = false;
        }
    }

    /// <summary>
    /// Reading in a turn failed. Npgsql 10 then takes the rest of the batch for read: statements in it that it was about to prepare count as prepared for
    /// ever, and after any other failure than the server's answers may still be to come. Then the connection must be closed.
    /// </summary>
    public void OnTurnFailed(Passenger passenger, Exception error)
    {
        if (error is PostgresException { SqlState: var state })
        {
            station.OnFailedAboard(passenger, state);
        }

        if (_current + 1 < Length)
        {
            MarkAfter(error);
        }
    }

    /// <summary>Asks the server to stop, if this passenger has its turn. Does not wait for it.</summary>
    public void CancelServer(Passenger passenger)
    {
        lock (_gate)
        {
            if (_current >= 0 && _current < Length && ReferenceEquals(_passengers[_current], passenger))
            {
                _brake!.Pull();
            }
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

            if (_glances * Station.WatchPeriod.Ticks <= (_current < 0 ? station.ResponseLimit : Station.StallLimit))
            {
                return;
            }

            isSetDown = _passengers[head].TrySetDown(BoardingOutcome.RunAlone);
            isReading = !isSetDown && _passengers[head].IsInTurn;
            rest = _passengers[(head + 1).._length];
            _length = isReading ? head + 1 : head;
        }

        station.OnSetDown(isSetDown ? 1 : 0, SetDownReason.Stalled, error: null);

        // Which of them is the slow one cannot be said if the server has not answered: let each find out alone.
        SetDown(rest, SetDownReason.Stalled, isReading ? BoardingOutcome.DriveNow : BoardingOutcome.RunAlone, error: null);
    }

    // Requires the gate. A server that stands still for a moment is no reason to cancel all that it is at.
    private void BrakeIfLate()
    {
        if (_glances > GlancesBeforeCancel)
        {
            _brake!.Pull();
            _glances = 0;
        }
    }
    private NpgsqlBatch CreateBatch()
    {
        var batch = new NpgsqlBatch(Server.Npgsql) { Timeout = _passengers[0].CommandTimeout };
        batch.BatchCommands.Add(new NpgsqlBatchCommand(ReadOnly));
        foreach (var passenger in _passengers)
        {
            batch.BatchCommands.Add(passenger.Statement!);
        }

        return batch;
    }

    private async Task MoveOnAsync()
    {
        while (TryAdvance(out var next))
        {
            if (Server.IsSuspect || NpgsqlInternals.IsUserCancelled(Server.Npgsql))
            {
                Server.Mark(Taint.Suspect);
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

            if (TryGiveTurn(next))
            {
                return;
            }
        }

        await FinishApartAsync().ConfigureAwait(false);
    }

    // Not in the last passenger's context.
    private Task FinishApartAsync()
    {
        var finishing = Task.CompletedTask;
        CleanContext.Run(static run => run(), () => finishing = FinishAsync());
        return finishing;
    }

    private bool TryGiveTurn(Passenger passenger)
    {
        lock (_gate)
        {
            (_turnGiven, _awaitsThread) = (time.GetTimestamp(), true);
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
    private void OnLost() => SetDown(TakeRest(), SetDownReason.TrainEnded, Server.IsBroken ? BoardingOutcome.RunAlone : BoardingOutcome.DriveNow, error: null);

    // No result has come: what was to be done before all of them failed, or everything. Whose fault it is cannot be said, so let each find out alone.
    private void OnNotBegun(Exception error, bool hasBeenSent)
    {
        Server.Observe(error);
        var rest = TakeRest();
        if (hasBeenSent)
        {
            MarkAfter(error);
            if (error is PostgresException refusal && refusal.SqlState != PostgresErrorCodes.QueryCanceled && !Server.IsBroken)
            {
                station.OnRefused(refusal); // Nobody's statement has run.
            }
        }

        SetDown(rest, SetDownReason.Failed, BoardingOutcome.RunAlone, error);
    }

    // The statement whose result was awaited failed, or the connection, which any of them may have broken.
    private void OnFailed(Exception error)
    {
        Server.Observe(error);
        MarkAfter(error);
        var rest = FailTimedOut(TakeRest(), error);
        if (rest.Length > 0 && error is PostgresException { SqlState: var state } && !Server.IsBroken)
        {
            station.OnFailedAboard(rest[0], state);
            SetDown(rest[..1], SetDownReason.Failed, BoardingOutcome.RunAlone, error);
            SetDown(rest[1..], SetDownReason.TrainEnded, BoardingOutcome.DriveNow, error);
            return;
        }

        SetDown(rest, SetDownReason.Failed, BoardingOutcome.RunAlone, error);
    }

    // A time-out is the first one's own: the results before it have come.
    private static Passenger[] FailTimedOut(Passenger[] rest, Exception error)
    {
        if (rest.Length == 0 || error is not NpgsqlException { InnerException: TimeoutException })
        {
            return rest;
        }

        rest[0].TryFail(error);
        return rest[1..];
    }

    // See OnTurnFailed. A cancelled read ends with the server's answer too.
    private void MarkAfter(Exception error)
    {
        if (_isPreparing || error is not (PostgresException or OperationCanceledException { InnerException: PostgresException }))
        {
            Server.Mark(Taint.OutOfStep);
        }
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

    private void SetDown(Passenger[] passengers, SetDownReason reason, BoardingOutcome outcome, Exception? error)
        => station.OnSetDown(passengers.Count(passenger => passenger.TrySetDown(outcome)), reason, error);

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
            MarkAfter(e);
        }

        await _brake!.ReleaseAsync().ConfigureAwait(false);
        _batch!.Dispose();
        Server.OnStatementEnded();
        station.Tracing.End(Span, error: null);
        station.OnEnded(this);
        await lease.EndAsync().ConfigureAwait(false);
    }

    private long Elapsed(long since) => time.GetElapsedTime(since).Ticks;
}
