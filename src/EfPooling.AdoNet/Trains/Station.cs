using System.Collections.Concurrent;
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
    private const int MostRecords = 10_000;
    private const int MostCharacters = 8_192; // of a text that may board: records keep it
    private const int Seats = 32;
    private const int MostRefusals = 3;

    private readonly TransactionPoolingDataSource _pool;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TrainMeter _meter;
    private readonly ConcurrentDictionary<SqlVerdict, BoardingRecord> _records = new();
    private readonly TextBudget _budget = new(MostRecords); // of the records
    private readonly BoardingRecord _everybody = new(catalog: null, isPureRead: true); // for texts that never come again
    private readonly Lock _gate = new();
    private readonly Platform _main = new(); // guarded by _gate: for those without settings, with the pool's own time-out, and not in sequence
    private readonly Dictionary<(SettingMap, int, CommandBehavior), Platform> _others = []; // guarded by _gate
    private readonly HashSet<Train> _trains = []; // guarded by _gate: those under way
    private readonly ITimer _watch;
    private bool _isWatching; // guarded by _gate
    private int _isLooking; // Interlocked only
    private int _refusals; // Interlocked and Volatile: since a train has begun
    private volatile bool _isSerializable;
    private long _network; // Volatile: ticks, what a round trip takes at least
    private long _response; // Volatile: ticks, moving average of the time from departure to the first result

    public Station(TransactionPoolingDataSource pool, TimeProvider time, ILogger logger)
    {
        _pool = pool;
        _time = time;
        _logger = new GuardedLogger(logger); // Trains must arrive, whatever a logger does.
        _meter = new TrainMeter(pool.Name, _logger);
        Tracing = new TrainTracing(pool.Name, pool.Database, _logger);
        ITimer? watch = null;
        CleanContext.Run(
            static create => create(),
            () => watch = time.CreateTimer(static self => ((Station)self!).Watch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _watch = watch!;
    }

    public TrainCounters Counters { get; } = new();

    public TrainTracing Tracing { get; }

    public long Now => _time.GetElapsedTime(0, _time.GetTimestamp()).Ticks;

    /// <summary>How often trains under way are looked at.</summary>
    public static TimeSpan WatchPeriod => TimeSpan.FromMilliseconds(10);

    /// <summary>How long a turn may take before those behind it are set down.</summary>
    public static long StallLimit => TimeSpan.FromMilliseconds(20).Ticks;

    /// <summary>How long the first result of a train may take, or a run alone: it has the network before it.</summary>
    public long ResponseLimit => Math.Clamp(4 * Volatile.Read(ref _response), StallLimit, LongestResponse);

    private static long LongestResponse => TimeSpan.FromSeconds(1).Ticks;

    /// <summary>Whether a text might board at this moment: it would have to wait for a server connection. Asked before each statement, so it costs next to nothing.</summary>
    public bool IsWorthwhile(SqlVerdict verdict) => verdict.IsReadCandidate && _pool.IsBusy && Volatile.Read(ref _refusals) < MostRefusals && !_isSerializable;

    /// <returns>The passenger that the command becomes; <c>null</c> if it is to run alone.</returns>
    public Passenger? TryCreate(NpgsqlCommand command, CommandBehavior behavior, int commandTimeout, SqlVerdict verdict, SettingMap wanted, ILeaseHolder runner)
    {
        if (command.CommandText.Length > MostCharacters || wanted.Has("default_transaction_isolation"))
        {
            return null;
        }

        var record = RecordOf(verdict, command.CommandText);
        return record.MayBoard(Now) && _everybody.MayBoard(Now) ? new Passenger(command, behavior, commandTimeout, wanted, record, runner) { Since = _pool.Now } : null;
    }

    /// <summary>Waits for a turn in a train, or for a server connection.</summary>
    /// <returns>A lease, if the passenger is to run alone; <c>null</c> if it has its turn.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Lease<ServerConnection>?> BoardAsync(Passenger passenger, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        passenger.StartWaiting();
        var outcome = TryRide(passenger) ? await passenger.WaitAsync(cancellationToken).ConfigureAwait(false) : BoardingOutcome.Drive;
        while (true)
        {
            if (outcome == BoardingOutcome.Turn)
            {
                passenger.BeginSpan(Tracing);
                return null;
            }

            if (outcome == BoardingOutcome.RunAlone || (outcome == BoardingOutcome.DriveNow && !passenger.Record.MayBoard(Now)))
            {
                return await _pool.AcquireAsync(passenger, cancellationToken, since: passenger.Since).ConfigureAwait(false);
            }

            if (outcome == BoardingOutcome.DriveNow)
            {
                AddDriver(passenger);
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

    /// <summary>A train got its first result. A late one counts a little, so that the limit follows the network but no single statement.</summary>
    /// <param name="duration">In ticks.</param>
    /// <param name="length">How many travel in it.</param>
    /// <param name="hasBegun">Else it failed, perhaps before it reached the network.</param>
    /// <returns>What each of them cost the server, on average.</returns>
    public long OnResponse(long duration, int length, bool hasBegun)
    {
        var response = Volatile.Read(ref _response);
        Volatile.Write(ref _response, response + ((Math.Min(duration, 2 * ResponseLimit) - response) / 8));
        var share = (duration - (hasBegun ? OnRoundTrip(duration) : Math.Min(duration, Volatile.Read(ref _network)))) / length;
        if (_everybody.OnServed(share, Now))
        {
            Log.EverybodyBarred(_logger, _pool.Name);
        }

        return share;
    }

    /// <summary>A train has begun, which may go on unless its transaction is serializable: those have to commit if somebody is to believe what they read.</summary>
    public bool MayBegin(bool isSerializable)
    {
        Volatile.Write(ref _refusals, 0);
        if (isSerializable && !_isSerializable)
        {
            _isSerializable = true; // By the connection string, the role or the database.
            Log.Serializable(_logger, _pool.Name);
        }

        return !isSerializable;
    }

    /// <summary>The server, or a turn, took so long for a passenger.</summary>
    public void OnServed(Passenger passenger, long duration)
    {
        if (passenger.Record.OnServed(duration, Now))
        {
            OnBarred(passenger);
        }
    }

    public void OnRanAlone(Passenger passenger, long duration, bool hasFailed)
    {
        if (!hasFailed)
        {
            OnRoundTrip(duration);
        }

        if (passenger.Record.OnRanAlone(hasFailed, isSlow: duration > ResponseLimit, Now))
        {
            OnBarred(passenger);
        }
    }

    /// <summary>The statement of a passenger failed, with an error of the server.</summary>
    public void OnFailedAboard(Passenger passenger, string sqlState)
    {
        passenger.HasFailedAboard |= sqlState != PostgresErrorCodes.QueryCanceled;
        if (sqlState == PostgresErrorCodes.ReadOnlySqlTransaction && passenger.Record.OnWrite())
        {
            Counters.CountBarred();
            _meter.OnBarred();
            Log.ReadWrites(_logger, _pool.Name, passenger.Text);
        }
    }

    /// <summary>The server did not let a train begin. If it never does, nobody boards any more.</summary>
    public void OnRefused(PostgresException error)
    {
        if (Interlocked.Increment(ref _refusals) == MostRefusals)
        {
            Log.NoTrains(_logger, error, _pool.Name);
        }
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

    public void OnEnded(Train train)
    {
        lock (_gate)
        {
            _trains.Remove(train);
        }
    }

    // The shortest one is the network's. It is forgotten slowly, because networks change.
    private long OnRoundTrip(long duration)
    {
        var network = Volatile.Read(ref _network);
        network = network == 0 || duration < network ? duration : network + ((duration - network) / 256);
        Volatile.Write(ref _network, network);
        return network;
    }

    private void OnBarred(Passenger passenger)
    {
        Counters.CountBarred();
        _meter.OnBarred();
        Log.TextBarred(_logger, _pool.Name, passenger.Text);
    }

    private BoardingRecord RecordOf(SqlVerdict verdict, string text)
    {
        var catalog = _pool.Catalog;
        if (_records.TryGetValue(verdict, out var record) && ReferenceEquals(record.Catalog, catalog))
        {
            return record;
        }

        if (!_budget.TryTake(verdict.Length))
        {
            _records.Clear();
        }

        return _records[verdict] = new BoardingRecord(catalog, IsOneInABatch(text) && catalog?.IsPureRead(verdict) == true);
    }

    // Npgsql takes an empty statement, and a comment behind a semicolon, for one more, which a statement of a batch may not have. In doubt, a text runs alone.
    private static bool IsOneInABatch(string text) => text.AsSpan().TrimEnd() is var trimmed && trimmed.IndexOf(';') is var first && (first < 0 || first == trimmed.Length - 1);

    private bool TryRide(Passenger passenger)
    {
        lock (_gate)
        {
            return PlatformOf(passenger).TryRide(passenger, Seats);
        }
    }

    private void AddDriver(Passenger passenger)
    {
        lock (_gate)
        {
            PlatformOf(passenger).AddDriver();
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
            lock (_gate)
            {
                var platform = PlatformOf(passenger);
                platform.ReplaceDriver();
                platform.Promote(Seats);
                Forget(passenger, platform);
            }

            throw;
        }
    }

    // Null: nobody waits.
    private Train? TakeRiders(Passenger driver, Lease<ServerConnection> lease)
    {
        Passenger[] riders;
        lock (_gate)
        {
            var platform = PlatformOf(driver);
            riders = platform.TakeRiders(Seats);
            platform.Promote(Seats);
            Forget(driver, platform);
        }

        if (riders.Length == 0)
        {
            return null;
        }

        var train = new Train(this, lease, _time);
        if (!train.TryFill(driver, riders))
        {
            return null;
        }

        Counters.CountTrain(train.Length);
        _meter.OnDeparture(train.Length);
        Log.TrainDeparts(_logger, _pool.Name, train.Length);
        lock (_gate)
        {
            _trains.Add(train);
            if (!_isWatching)
            {
                _isWatching = _watch.Change(WatchPeriod, WatchPeriod);
            }
        }

        return train;
    }

    // Requires the gate.
    private Platform PlatformOf(Passenger passenger)
    {
        if (passenger.Wanted.IsEmpty && passenger.CommandTimeout == _pool.CommandTimeout && passenger.Behavior == CommandBehavior.Default)
        {
            return _main;
        }

        var key = (passenger.Wanted, passenger.CommandTimeout, passenger.Behavior);
        if (!_others.TryGetValue(key, out var platform))
        {
            _others[key] = platform = new Platform();
        }

        return platform;
    }

    // Requires the gate. Settings have very many values, so a platform that nobody uses must go.
    private void Forget(Passenger passenger, Platform platform)
    {
        if (platform.IsEmpty && !ReferenceEquals(platform, _main))
        {
            _others.Remove((passenger.Wanted, passenger.CommandTimeout, passenger.Behavior));
        }
    }

    // One look at a time; and it never waits for anything, because all timers share the threads.
    private void Watch()
    {
        if (Interlocked.Exchange(ref _isLooking, 1) == 0)
        {
            Look();
            Volatile.Write(ref _isLooking, 0);
        }
    }

    private void Look()
    {
        Train[] trains;
        lock (_gate)
        {
            trains = [.. _trains];
            if (trains.Length == 0)
            {
                _watch.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _isWatching = false;
            }
        }

        foreach (var train in trains)
        {
            train.Watch();
        }
    }
}
