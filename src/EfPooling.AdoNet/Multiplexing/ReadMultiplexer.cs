using System.Data;
using System.Runtime.CompilerServices;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Lets the reads of a pool share round trips. A read that finds no free server connection either leads or follows. A leader
/// waits in the pool's queue like any other caller. A follower waits for a leader that is already in that queue. When a leader
/// gets its server connection, it sends its followers' reads too.
/// </summary>
/// <remarks>
/// A follower waits no longer than its leader, which came before it. If a leader stops waiting, a follower replaces it and keeps
/// its waiting time.
/// </remarks>
internal sealed class ReadMultiplexer
{
    private readonly PoolContext _pool;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly MultiplexingMeter _meter;
    private readonly ReadGroups _groups;

    public ReadMultiplexer(PoolContext pool)
    {
        _pool = pool;
        _time = pool.Time;
        _logger = new GuardedLogger(pool.Logger); // Batches must complete, whatever a logger does.
        _meter = new MultiplexingMeter(pool.Name, _logger);
        _groups = new ReadGroups(pool.CommandTimeout);
        Eligibility = new BatchEligibility(pool, Counters, _meter, _time, _logger);
        Tracing = new MultiplexingTracing(pool.Name, pool.Database, _logger);
        Stalls = new StallDetector(_time);
    }

    public MultiplexingCounters Counters { get; } = new();

    public BatchEligibility Eligibility { get; }

    public MultiplexingTracing Tracing { get; }

    /// <summary>Watches the batches under way.</summary>
    public StallDetector Stalls { get; }

    /// <summary>
    /// Whether a text might share a round trip now, because it would have to wait for a server connection. Asked before each
    /// statement, so it must cost next to nothing.
    /// </summary>
    public bool IsWorthwhile(SqlVerdict verdict) => verdict.IsReadCandidate && _pool.IsBusy && Eligibility.IsOpen;

    /// <returns>The batched read of the command; <c>null</c> if the command must run solo.</returns>
    public BatchedRead? TryCreate(NpgsqlCommand command, CommandBehavior behavior, int commandTimeout, SqlVerdict verdict, SettingMap wanted, ILeaseHolder runner, long since)
        => Eligibility.Grant(verdict, command, wanted) is { } record
            ? new BatchedRead(command, behavior, commandTimeout, wanted, record, runner) { Since = since }
            : null;

    /// <summary>Waits for a result slot in a batch, or for a server connection.</summary>
    /// <returns>A lease if the read must run solo; <c>null</c> if it has its result slot.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Lease<ServerConnection>?> ShareAsync(BatchedRead read, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _pool.ThrowIfDisabled();
        read.StartWaiting();
        var outcome = _groups.TryFollow(read) ? await read.WaitAsync(cancellationToken).ConfigureAwait(false) : BatchOutcome.Lead;
        while (true)
        {
            if (outcome == BatchOutcome.ResultSlot)
            {
                read.BeginSpan(Tracing);
                return null;
            }

            if (outcome == BatchOutcome.RunSolo || (outcome == BatchOutcome.LeadNext && !Eligibility.StillHas(read.Record)))
            {
                return await _pool.AcquireAsync(read, cancellationToken, since: read.Since, isAdmitted: true).ConfigureAwait(false);
            }

            if (outcome == BatchOutcome.LeadNext)
            {
                _groups.AddLeader(read);
            }

            var lease = await AcquireAsLeaderAsync(read, cancellationToken).ConfigureAwait(false);
            read.StartWaiting();
            if (TakeFollowers(read, lease) is not { } batch)
            {
                return lease;
            }

            CleanContext.Run(static batch => _ = batch.RunAsync(), batch); // Never throws.
            outcome = await read.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lets those reads run elsewhere that are still in the batch.</summary>
    public void Requeue(ReadOnlySpan<BatchedRead> reads, RequeueReason reason, BatchOutcome outcome, Exception? error)
    {
        var count = 0;
        foreach (var read in reads)
        {
            count += read.TryRequeue(outcome) ? 1 : 0;
        }

        OnRequeued(count, reason, error);
    }

    public void OnRequeued(int reads, RequeueReason reason, Exception? error)
    {
        for (var i = 0; i < reads; i++)
        {
            Counters.CountRequeued(reason);
        }

        if (reads > 0)
        {
            _meter.OnRequeued(reads, reason);
            Log.Requeued(_logger, error, _pool.Name, reads, reason);
        }
    }

    private async ValueTask<Lease<ServerConnection>> AcquireAsLeaderAsync(BatchedRead read, CancellationToken cancellationToken)
    {
        try
        {
            return await _pool.AcquireAsync(read, cancellationToken, since: read.Since, isAdmitted: true).ConfigureAwait(false);
        }
        catch
        {
            _groups.ReplaceLeader(read);
            throw;
        }
    }

    // Null if there are no followers or no batch may be sent.
    private ReadBatch? TakeFollowers(BatchedRead leader, Lease<ServerConnection> lease)
    {
        var followers = _groups.TakeFollowers(leader);
        if (followers.Length == 0)
        {
            return null;
        }

        if (!Eligibility.MaySend(out var isProbe))
        {
            foreach (var follower in followers)
            {
                follower.TrySendSolo();
            }

            return null;
        }

        var batch = new ReadBatch(this, lease, isProbe, _time);
        if (!batch.TryFill(leader, followers))
        {
            return null;
        }

        Counters.CountBatch(batch.Length);
        _meter.OnSent(batch.Length);
        Log.BatchSent(_logger, _pool.Name, batch.Length);
        Stalls.Add(batch);
        return batch;
    }
}
