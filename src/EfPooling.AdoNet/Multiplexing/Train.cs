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
/// <param name="station">From which it departs.</param>
/// <param name="lease">Of the server connection, which the train ends.</param>
/// <param name="isProbe">It finds out whether the server lets trains run again.</param>
/// <param name="time">The pool's.</param>
internal sealed class Train(Station station, Lease<ServerConnection> lease, bool isProbe, TimeProvider time)
{
    private const string ReadOnly = $"SELECT pg_catalog.set_config('{SqlCatalog.TellTale}', 'on', true), pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) 'serializable'";

    private Passenger[] _passengers = []; // this and the next three: written before departure
    private NpgsqlBatch? _batch;
    private TrainBrake? _brake;
    private TrainTurns? _turns;
    private NpgsqlDataReader? _reader; // written once, before the first turn
    private long _share; // as _reader: ticks, what each statement cost the server if all have the same text; else 0
    private bool _isPreparing = true; // used by the flow that uses the reader: what the server prepares when it comes to it is not known before the first result

    public ServerConnection Server { get; } = lease.Connection;

    public NpgsqlDataReader Reader => _reader!;

    public int Length => _passengers.Length;

    /// <summary>Written before the first turn; null if nobody listens.</summary>
    public Activity? Span { get; private set; }

    public string? CurrentText => _turns?.CurrentText;

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

        if (aboard == 1)
        {
            return false;
        }

        _passengers = aboard == passengers.Length ? passengers : passengers[..aboard];
        foreach (var passenger in _passengers)
        {
            if (station.Rights.OnDeparting(Server, passenger.Record))
            {
                Server.Mark(Taint.Unverified);
            }
        }

        _batch = CreateBatch(); // Now, because whoever leaves and boards another train has another statement there.
        _brake = new TrainBrake(_batch, Server, time);
        _turns = new TrainTurns(station, _passengers, _brake, time);
        return driver.TryGetIn(this); // Last: from here on diagnostics of the driver's lease look at the train.
    }

    /// <summary>Sends the batch, and gives the first passenger its turn. Never throws: passengers are told. Call it in a clean context: it runs for all of them.</summary>
    public async Task RunAsync()
    {
        Span = station.Tracing.StartTrain(Length);
        long? sent = null;
        bool isSerializable;
        try
        {
            var wanted = _passengers[0].Wanted;
            if (!Server.Settings.Are(wanted) && !Server.TrySend(wanted, inOwnTransaction: true))
            {
                await Server.ApplyAsync(wanted, isInTransaction: false, CancellationToken.None).ConfigureAwait(false);
            }

            sent = time.GetTimestamp();
            _reader = await _batch!.ExecuteReaderAsync(_passengers[0].Behavior, CancellationToken.None).ConfigureAwait(false);
            await _reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            isSerializable = await _reader.GetFieldValueAsync<bool>(1, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            OnNotBegun(e, sent);
            await FinishAsync().ConfigureAwait(false);
            return;
        }

        _share = station.Rights.OnTrainServed(_passengers, Elapsed(sent.Value), hasBegun: true);
        _isPreparing = NpgsqlInternals.IsPreparing(_batch);
        if (station.Rights.OnBegun(isSerializable, isProbe))
        {
            await MoveOnAsync().ConfigureAwait(false);
        }
        else
        {
            station.SetDown(_turns!.TakeRest(), SetDownReason.TrainEnded, BoardingOutcome.RunAlone, error: null);
            await FinishAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Gives the reader to the next passenger. The task ends when that is done or, after the last one, when the server connection is given back.</summary>
    public Task EndTurnAsync(Passenger passenger)
    {
        var isLast = _turns!.IsLast;
        station.Rights.OnServed(passenger, _turns.Elapsed + _share);
        var moving = MoveOnAsync();
        return isLast ? moving : Task.CompletedTask; // Nobody waits for the result of somebody else, also not of one who was set down.
    }

    /// <inheritdoc cref="TrainTurns.OnBegun"/>
    public void OnTurnBegun() => _turns!.OnBegun();

    /// <summary>
    /// Reading in a turn failed. Npgsql 10 then takes the rest of the batch for read: statements in it that it was about to prepare count as prepared for
    /// ever, and after any other failure than the server's answers may still be to come. Then the connection must be closed.
    /// </summary>
    public void OnTurnFailed(Passenger passenger, Exception error)
    {
        if (error is PostgresException { SqlState: var state })
        {
            station.Rights.OnFailedAboard(passenger, state);
        }

        if (!_turns!.IsLast)
        {
            MarkAfter(error);
        }
    }

    /// <inheritdoc cref="TrainTurns.CancelServer"/>
    public void CancelServer(Passenger passenger) => _turns?.CancelServer(passenger); // Who left the platform remembers a train that never departed.

    /// <inheritdoc cref="TrainTurns.Watch"/>
    public void Watch() => _turns!.Watch();

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
        while (_turns!.TryAdvance(out var next))
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

            if (_turns.TryGive(next))
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

    // Somebody who had its turn was cancelled or failed, which took the results of those behind with it.
    private void OnLost()
        => station.SetDown(_turns!.TakeRest(), SetDownReason.TrainEnded, Server.IsBroken ? BoardingOutcome.RunAlone : BoardingOutcome.DriveNow, error: null);

    // No result has come: what was to be done before all of them failed, or everything. Whose fault it is cannot be said, so let each find out alone.
    private void OnNotBegun(Exception error, long? sent)
    {
        Server.Observe(error);
        var rest = _turns!.TakeRest();
        if (sent is { } since)
        {
            station.Rights.OnTrainServed(_passengers, Elapsed(since), hasBegun: false);
            MarkAfter(error);
            if (error is PostgresException refusal && refusal.SqlState != PostgresErrorCodes.QueryCanceled && !Server.IsBroken)
            {
                station.Rights.OnRefused(refusal); // Nobody's statement has run.
            }
        }

        station.SetDown(rest, SetDownReason.Failed, BoardingOutcome.RunAlone, error);
    }

    // The statement whose result was awaited failed, or the connection, which any of them may have broken.
    private void OnFailed(Exception error)
    {
        Server.Observe(error);
        MarkAfter(error);
        var rest = FailTimedOut(_turns!.TakeRest(), error);
        if (rest.Length > 0 && error is PostgresException { SqlState: var state } && !Server.IsBroken)
        {
            station.Rights.OnFailedAboard(rest[0], state);
            station.SetDown(rest.AsSpan(0, 1), SetDownReason.Failed, BoardingOutcome.RunAlone, error);
            station.SetDown(rest.AsSpan(1), SetDownReason.TrainEnded, BoardingOutcome.DriveNow, error);
            return;
        }

        station.SetDown(rest, SetDownReason.Failed, BoardingOutcome.RunAlone, error);
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

    private async Task FinishAsync()
    {
        _turns!.Finish();
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
        station.Trains.Remove(this);
        await lease.EndAsync().ConfigureAwait(false);
    }

    private long Elapsed(long since) => time.GetElapsedTime(since).Ticks;
}
