using System.Data;
using System.Runtime.CompilerServices;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Where the reads of a pool meet to share round trips. Who finds no server connection free either drives, which is to wait in the
/// pool's queue like anybody else, or rides with a driver who waits already. Whoever drives and gets its server connection takes the riders along.
/// </summary>
/// <remarks>
/// Riders wait no longer than their driver, who came before them. If a driver gives up, a rider takes its place, with the wait that it has behind it.
/// </remarks>
internal sealed class Station
{
    private readonly PoolContext _pool;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TrainMeter _meter;
    private readonly Platforms _platforms;

    public Station(PoolContext pool)
    {
        _pool = pool;
        _time = pool.Time;
        _logger = new GuardedLogger(pool.Logger); // Trains must arrive, whatever a logger does.
        _meter = new TrainMeter(pool.Name, _logger);
        _platforms = new Platforms(pool.CommandTimeout);
        Rights = new BoardingRights(pool, Counters, _meter, _time, _logger);
        Tracing = new TrainTracing(pool.Name, pool.Database, _logger);
        Trains = new TrainWatch(_time);
    }

    public TrainCounters Counters { get; } = new();

    public BoardingRights Rights { get; }

    public TrainTracing Tracing { get; }

    /// <summary>Those under way.</summary>
    public TrainWatch Trains { get; }

    /// <summary>Whether a text might board at this moment: it would have to wait for a server connection. Asked before each statement, so it costs next to nothing.</summary>
    public bool IsWorthwhile(SqlVerdict verdict) => verdict.IsReadCandidate && _pool.IsBusy && Rights.AreGranted;

    /// <returns>The passenger that the command becomes; <c>null</c> if it is to run alone.</returns>
    public Passenger? TryCreate(NpgsqlCommand command, CommandBehavior behavior, int commandTimeout, SqlVerdict verdict, SettingMap wanted, ILeaseHolder runner, long since)
        => Rights.Grant(verdict, command, wanted) is { } record
            ? new Passenger(command, behavior, commandTimeout, wanted, record, runner) { Since = since }
            : null;

    /// <summary>Waits for a turn in a train, or for a server connection.</summary>
    /// <returns>A lease, if the passenger is to run alone; <c>null</c> if it has its turn.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Lease<ServerConnection>?> BoardAsync(Passenger passenger, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        passenger.StartWaiting();
        var outcome = _platforms.TryRide(passenger) ? await passenger.WaitAsync(cancellationToken).ConfigureAwait(false) : BoardingOutcome.Drive;
        while (true)
        {
            if (outcome == BoardingOutcome.Turn)
            {
                passenger.BeginSpan(Tracing);
                return null;
            }

            if (outcome == BoardingOutcome.RunAlone || (outcome == BoardingOutcome.DriveNow && !Rights.StillHas(passenger.Record)))
            {
                return await _pool.AcquireAsync(passenger, cancellationToken, since: passenger.Since).ConfigureAwait(false);
            }

            if (outcome == BoardingOutcome.DriveNow)
            {
                _platforms.AddDriver(passenger);
            }

            var lease = await AcquireAsDriverAsync(passenger, cancellationToken).ConfigureAwait(false);
            passenger.StartWaiting();
            if (TakeRiders(passenger, lease) is not { } train)
            {
                return lease;
            }

            CleanContext.Run(static train => _ = train.RunAsync(), train); // Ends without an exception, whatever happens.
            outcome = await passenger.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lets those of them who are still aboard run elsewhere.</summary>
    public void SetDown(ReadOnlySpan<Passenger> passengers, SetDownReason reason, BoardingOutcome outcome, Exception? error)
    {
        var count = 0;
        foreach (var passenger in passengers)
        {
            count += passenger.TrySetDown(outcome) ? 1 : 0;
        }

        OnSetDown(count, reason, error);
    }

    public void OnSetDown(int passengers, SetDownReason reason, Exception? error)
    {
        for (var i = 0; i < passengers; i++)
        {
            Counters.CountSetDown(reason);
        }

        if (passengers > 0)
        {
            _meter.OnSetDown(passengers, reason);
            Log.SetDown(_logger, error, _pool.Name, passengers, reason);
        }
    }

    private async ValueTask<Lease<ServerConnection>> AcquireAsDriverAsync(Passenger passenger, CancellationToken cancellationToken)
    {
        try
        {
            return await _pool.AcquireAsync(passenger, cancellationToken, since: passenger.Since).ConfigureAwait(false);
        }
        catch
        {
            _platforms.ReplaceDriver(passenger);
            throw;
        }
    }

    // Null: nobody waits, or no train may depart.
    private Train? TakeRiders(Passenger driver, Lease<ServerConnection> lease)
    {
        var riders = _platforms.TakeRiders(driver);
        if (riders.Length == 0)
        {
            return null;
        }

        if (!Rights.TryDepart(out var isProbe))
        {
            foreach (var rider in riders)
            {
                rider.TrySendAway();
            }

            return null;
        }

        var train = new Train(this, lease, isProbe, _time);
        if (!train.TryFill(driver, riders))
        {
            return null;
        }

        Counters.CountTrain(train.Length);
        _meter.OnDeparture(train.Length);
        Log.TrainDeparts(_logger, _pool.Name, train.Length);
        Trains.Add(train);
        return train;
    }
}
