using System.Collections.Concurrent;
using EfPooling.AdoNet.Sql;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>Which texts of a pool may share round trips, and what suspends them. Thread-safe.</summary>
/// <param name="pool">The pool of the texts.</param>
/// <param name="counters">Count the suspensions.</param>
/// <param name="meter">Measures the suspensions.</param>
/// <param name="time">The pool's clock.</param>
/// <param name="logger">Never throws.</param>
internal sealed class BatchEligibility(PoolContext pool, MultiplexingCounters counters, MultiplexingMeter meter, TimeProvider time, ILogger logger)
{
    private const int MostRecords = 10_000;
    private const int MostCharacters = 8_192; // of an eligible text, because records keep it
    private const int MostRefusals = 3; // one may be an accident
    private const long PauseTicks = TimeSpan.TicksPerMinute;

    private readonly ConcurrentDictionary<SqlVerdict, EligibilityRecord> _records = new();
    private readonly TextBudget _budget = new(MostRecords); // of the records
    private readonly EligibilityRecord _everybody = new(judgement: null, isPureRead: true); // for texts that do not recur
    private int _refusals; // Interlocked and Volatile: since a batch has begun
    private volatile bool _isSerializable; // the transaction of the last batch that has begun was
    private long _noneUntil; // Volatile and Interlocked: when a batch must probe whether the server lets batches run again; 0 if it does

    public ResponseTimes Times { get; } = new();

    /// <summary>Whether any text may share. Asked before each statement, so it must cost next to nothing.</summary>
    public bool IsOpen => Volatile.Read(ref _noneUntil) is var until && (until == 0 || until <= Now);

    /// <summary>In ticks, from any origin.</summary>
    public long Now => time.GetElapsedTime(0, time.GetTimestamp()).Ticks;

    /// <returns>The record of the text, if it may share now; otherwise <c>null</c>.</returns>
    public EligibilityRecord? Grant(SqlVerdict verdict, NpgsqlCommand command, SettingMap wanted)
    {
        var text = command.CommandText;
        if (text.Length > MostCharacters || wanted.Has("default_transaction_isolation"))
        {
            return null;
        }

        var record = RecordOf(verdict, text);
        return record.MayShare(Now) && pool.Catalogs.Believes(record.Judgement!) && _everybody.MayShare(Now)
            && (record.Judgement!.Catalog.OwnTypes == CatalogFlags.None || ParameterTypes.AreBuiltIn(command.Parameters)) ? record : null;
    }

    /// <summary>A batch with a text of this record is about to run.</summary>
    /// <returns>Whether the end of its lease must check the database.</returns>
    public bool OnSending(ServerConnection server, EligibilityRecord record)
    {
        server.JudgeBy(record.Judgement!.Catalog);
        return pool.Catalogs.WantsCheck(record.Judgement);
    }

    /// <summary>Whether the text has not been suspended meanwhile.</summary>
    public bool StillHas(EligibilityRecord record) => record.MayShare(Now);

    /// <summary>
    /// A batch got its first result. The server holds results back until they fill a buffer or all statements are done. So the
    /// cost of each statement is unknown; only the average is known.
    /// </summary>
    /// <param name="reads">All reads of the batch.</param>
    /// <param name="duration">The time since it was sent, in ticks.</param>
    /// <param name="hasBegun">Whether it began; if not, it failed.</param>
    /// <returns>In ticks, the cost of each statement on the server if all have the same text; otherwise 0.</returns>
    public long OnBatchServed(BatchedRead[] reads, long duration, bool hasBegun)
    {
        var share = Times.OnBatch(duration, hasBegun) / reads.Length;
        if (_everybody.OnServed(share, Now))
        {
            Log.EverybodySuspended(logger, pool.Name);
        }

        var texts = 0;
        for (var i = 0; i < reads.Length; i++)
        {
            if (IsFirstOfItsText(reads, i))
            {
                texts++;
                OnServed(reads[i], share);
            }
        }

        return texts == 1 ? share : 0;
    }

    /// <summary>The server, or the result slot, took this long for a batched read.</summary>
    public void OnServed(BatchedRead read, long duration)
    {
        if (read.Record.OnServed(duration, Now))
        {
            OnSuspended(read);
        }
    }

    public void OnRanSolo(BatchedRead read, long duration, bool hasFailed)
    {
        if (!hasFailed)
        {
            Times.OnRoundTrip(duration);
        }

        if (read.Record.OnRanSolo(hasFailed, isSlow: duration > Times.Limit, Now))
        {
            OnSuspended(read);
        }
    }

    /// <summary>The statement of a batched read failed, with an error of the server.</summary>
    public void OnFailedInBatch(BatchedRead read, string sqlState)
    {
        read.HasFailedInBatch |= sqlState != PostgresErrorCodes.QueryCanceled;
        if (sqlState == PostgresErrorCodes.ReadOnlySqlTransaction && read.Record.OnWrite())
        {
            Count();
            Log.ReadWrites(logger, pool.Name, read.Text);
        }
    }

    /// <summary>
    /// Whether a batch may be sent. If the server let none run for a while, one batch probes whether it does now.
    /// </summary>
    public bool MaySend(out bool isProbe)
    {
        var until = Volatile.Read(ref _noneUntil);
        isProbe = until != 0;
        return !isProbe || (until <= Now && Interlocked.CompareExchange(ref _noneUntil, Now + PauseTicks, until) == until);
    }

    /// <summary>The server did not let a batch begin. If it never does, none is sent for a while.</summary>
    public void OnRefused(PostgresException error)
    {
        var refusals = Interlocked.Increment(ref _refusals);
        if (refusals == MostRefusals)
        {
            Log.NoBatches(logger, error, pool.Name);
        }

        if (refusals >= MostRefusals)
        {
            Pause();
        }
    }

    /// <summary>
    /// A batch has begun. It may continue unless its transaction is serializable, by the connection string, the role or the
    /// database: the reads of a serializable transaction are only valid once it has committed. Then none is sent for a while.
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

    private static bool IsFirstOfItsText(BatchedRead[] reads, int index)
    {
        for (var i = 0; i < index; i++)
        {
            if (ReferenceEquals(reads[i].Record, reads[index].Record))
            {
                return false;
            }
        }

        return true;
    }

    // Npgsql counts an empty statement, or a comment after a semicolon, as one more statement, which a statement of a batch must
    // not have. If in doubt, a text runs solo.
    private static bool IsOneInABatch(string text) => text.AsSpan().TrimEnd() is var trimmed && trimmed.IndexOf(';') is var first && (first < 0 || first == trimmed.Length - 1);

    private EligibilityRecord RecordOf(SqlVerdict verdict, string text)
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
        return _records[verdict] = new EligibilityRecord(judgement, judgement.IsPure && IsOneInABatch(text));
    }

    private void Pause() => Volatile.Write(ref _noneUntil, Now + PauseTicks);

    private void OnSuspended(BatchedRead read)
    {
        Count();
        Log.TextSuspended(logger, pool.Name, read.Text);
    }

    private void Count()
    {
        counters.CountSuspended();
        meter.OnSuspended();
    }
}
