using System.Collections.Concurrent;
using EfPooling.AdoNet.Sql;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>Which texts of a pool may board, and how they lose that right. Thread-safe.</summary>
/// <param name="pool">Whose texts they are.</param>
/// <param name="counters">Count the texts that lost it.</param>
/// <param name="meter">As the counters.</param>
/// <param name="time">The pool's.</param>
/// <param name="logger">Never throws.</param>
internal sealed class BoardingRights(PoolContext pool, TrainCounters counters, TrainMeter meter, TimeProvider time, ILogger logger)
{
    private const int MostRecords = 10_000;
    private const int MostCharacters = 8_192; // of a text that may board: records keep it
    private const int MostRefusals = 3; // one may be an accident
    private const long PauseTicks = TimeSpan.TicksPerMinute;

    private readonly ConcurrentDictionary<SqlVerdict, BoardingRecord> _records = new();
    private readonly TextBudget _budget = new(MostRecords); // of the records
    private readonly BoardingRecord _everybody = new(judgement: null, isPureRead: true); // for texts that never come again
    private int _refusals; // Interlocked and Volatile: since a train has begun
    private volatile bool _isSerializable; // the transaction of the last train that has begun was
    private long _noneUntil; // Volatile and Interlocked: when a train is to find out whether the server lets trains run again; 0 if it does

    public ResponseTimes Times { get; } = new();

    /// <summary>Whether any text may board. Asked before each statement, so it costs next to nothing.</summary>
    public bool AreGranted => Volatile.Read(ref _noneUntil) is var until && (until == 0 || until <= Now);

    /// <summary>In ticks, from any origin.</summary>
    public long Now => time.GetElapsedTime(0, time.GetTimestamp()).Ticks;

    /// <returns>What is known of the text, if it may board now; else <c>null</c>.</returns>
    public BoardingRecord? Grant(SqlVerdict verdict, NpgsqlCommand command, SettingMap wanted)
    {
        var text = command.CommandText;
        if (text.Length > MostCharacters || wanted.Has("default_transaction_isolation"))
        {
            return null;
        }

        var record = RecordOf(verdict, text);
        return record.MayBoard(Now) && pool.Catalogs.Believes(record.Judgement!) && _everybody.MayBoard(Now)
            && (record.Judgement!.Catalog.OwnTypes == CatalogFlags.None || ParameterTypes.AreBuiltIn(command.Parameters)) ? record : null;
    }

    /// <summary>A train with a text of this record is about to run. Whether the end of its lease has to look at the database.</summary>
    public bool OnDeparting(ServerConnection server, BoardingRecord record)
    {
        server.JudgeBy(record.Judgement!.Catalog);
        return pool.Catalogs.WantsCheck(record.Judgement);
    }

    /// <summary>Whether the text has not lost the right meanwhile.</summary>
    public bool StillHas(BoardingRecord record) => record.MayBoard(Now);

    /// <summary>
    /// A train got its first result. The server keeps results to itself until they fill a buffer or all statements are done. So what each of them costs it
    /// cannot be said, only what it costs on average.
    /// </summary>
    /// <param name="train">All who travel in it.</param>
    /// <param name="duration">Since it was sent, in ticks.</param>
    /// <param name="hasBegun">Else it failed.</param>
    /// <returns>In ticks, what each statement cost the server, if all have the same text; else 0.</returns>
    public long OnTrainServed(Passenger[] train, long duration, bool hasBegun)
    {
        var share = Times.OnTrain(duration, hasBegun) / train.Length;
        if (_everybody.OnServed(share, Now))
        {
            Log.EverybodyBarred(logger, pool.Name);
        }

        var texts = 0;
        for (var i = 0; i < train.Length; i++)
        {
            if (IsFirstOfItsText(train, i))
            {
                texts++;
                OnServed(train[i], share);
            }
        }

        return texts == 1 ? share : 0;
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
            Times.OnRoundTrip(duration);
        }

        if (passenger.Record.OnRanAlone(hasFailed, isSlow: duration > Times.Limit, Now))
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
            Count();
            Log.ReadWrites(logger, pool.Name, passenger.Text);
        }
    }

    /// <summary>Whether a train may depart. If the server let none run for a while, one of them finds out whether it does now.</summary>
    public bool TryDepart(out bool isProbe)
    {
        var until = Volatile.Read(ref _noneUntil);
        isProbe = until != 0;
        return !isProbe || (until <= Now && Interlocked.CompareExchange(ref _noneUntil, Now + PauseTicks, until) == until);
    }

    /// <summary>The server did not let a train begin. If it never does, none departs for a while.</summary>
    public void OnRefused(PostgresException error)
    {
        var refusals = Interlocked.Increment(ref _refusals);
        if (refusals == MostRefusals)
        {
            Log.NoTrains(logger, error, pool.Name);
        }

        if (refusals >= MostRefusals)
        {
            Pause();
        }
    }

    /// <summary>
    /// A train has begun, which may go on unless its transaction is serializable, by the connection string, the role or the database: those have to commit
    /// if somebody is to believe what they read. Then none departs for a while.
    /// </summary>
    public bool OnBegun(bool isSerializable, bool isProbe)
    {
        Volatile.Write(ref _refusals, 0);
        if (isSerializable)
        {
            Pause();
            if (!_isSerializable)
            {
                Log.Serializable(logger, pool.Name);
            }
        }
        else if (isProbe)
        {
            Volatile.Write(ref _noneUntil, 0);
        }

        _isSerializable = isSerializable;
        return !isSerializable;
    }

    private static bool IsFirstOfItsText(Passenger[] train, int passenger)
    {
        for (var i = 0; i < passenger; i++)
        {
            if (ReferenceEquals(train[i].Record, train[passenger].Record))
            {
                return false;
            }
        }

        return true;
    }

    // Npgsql takes an empty statement, and a comment behind a semicolon, for one more, which a statement of a batch may not have. In doubt, a text runs alone.
    private static bool IsOneInABatch(string text) => text.AsSpan().TrimEnd() is var trimmed && trimmed.IndexOf(';') is var first && (first < 0 || first == trimmed.Length - 1);

    private BoardingRecord RecordOf(SqlVerdict verdict, string text)
    {
        var catalog = pool.Catalog;
        if (_records.TryGetValue(verdict, out var record) && ReferenceEquals(record.Judgement!.Catalog, catalog))
        {
            return record;
        }

        if (!_budget.TryTake(verdict.Length))
        {
            _records.Clear();
        }

        var judgement = catalog.Judge(verdict);
        return _records[verdict] = new BoardingRecord(judgement, judgement.IsPure && IsOneInABatch(text));
    }

    private void Pause() => Volatile.Write(ref _noneUntil, Now + PauseTicks);

    private void OnBarred(Passenger passenger)
    {
        Count();
        Log.TextBarred(logger, pool.Name, passenger.Text);
    }

    private void Count()
    {
        counters.CountBarred();
        meter.OnBarred();
    }
}
