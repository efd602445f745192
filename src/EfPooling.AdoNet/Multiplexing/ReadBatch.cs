using System.Diagnostics;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// One round trip that several reads share. Its reader goes from result to result. The read in the current result slot reads its
/// own result; ending the slot moves the reader on to the next result.
/// </summary>
/// <remarks>
/// The batch has no error barriers: after an error the server skips the statements behind it, and their reads run again
/// elsewhere. With barriers, Npgsql 10 miscounts the answers when a read fails half-way, and reads the same error for ever when
/// rows fail in a result that it skips. So the batch is one implicit transaction, which its first statement makes read-only:
/// whatever the catalog says of a function, nothing that writes runs twice, and nothing is undone together with another caller's
/// failure. At each moment one flow uses the reader: the flow that sends the batch or moves on, or the read in the current result
/// slot. All other reads can leave or be requeued at any moment: they are pure reads, no caller has seen any part of them, and
/// the batch has its own copies of the parameters.
/// </remarks>
/// <param name="multiplexer">The multiplexer that sends it.</param>
/// <param name="lease">The lease of its server connection. The batch ends it.</param>
/// <param name="isProbe">Whether it finds out if the server lets batches run again.</param>
/// <param name="time">The pool's clock.</param>
internal sealed class ReadBatch(ReadMultiplexer multiplexer, Lease<ServerConnection> lease, bool isProbe, TimeProvider time)
{
    private const string ReadOnly = $"SELECT pg_catalog.set_config('{SqlCatalog.ReadOnlyProbe}', 'on', true), pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) 'serializable'";

    private BatchedRead[] _reads = []; // this and the next three: written before the batch is sent
    private NpgsqlBatch? _batch;
    private BatchCancellation? _cancellation;
    private ResultSlots? _slots;
    private NpgsqlDataReader? _reader; // written once, before the first result slot
    private long _share; // as _reader: ticks, the cost of each statement on the server if all have the same text; otherwise 0
    private bool _isPreparing = true; // used by the flow that uses the reader: before the first result it is unknown what the server has prepared

    public ServerConnection Server { get; } = lease.Connection;

    public NpgsqlDataReader Reader => _reader!;

    public int Length => _reads.Length;

    /// <summary>Written before the first result slot; null if there is no listener.</summary>
    public Activity? Span { get; private set; }

    public string? CurrentText => _slots?.CurrentText;

    /// <param name="leader">The read that holds the lease.</param>
    /// <param name="followers">At least one.</param>
    /// <returns>Whether at least one follower has joined.</returns>
    public bool TryFill(BatchedRead leader, BatchedRead[] followers)
    {
        var joined = 1;
        var reads = new BatchedRead[followers.Length + 1];
        reads[0] = leader;
        foreach (var follower in followers)
        {
            if (follower.TryJoin(this))
            {
                reads[joined++] = follower;
            }
        }

        if (joined == 1)
        {
            return false;
        }

        _reads = joined == reads.Length ? reads : reads[..joined];
        foreach (var read in _reads)
        {
            if (multiplexer.Eligibility.OnSending(Server, read.Record))
            {
                Server.Mark(Taint.Unverified);
            }
        }

        _batch = CreateBatch(); // Only now: a read that left and joined another batch has another statement there.
        _cancellation = new BatchCancellation(_batch, Server, time);
        _slots = new ResultSlots(multiplexer, _reads, _cancellation, time);
        return leader.TryJoin(this); // Last, because diagnostics of the leader's lease look at the batch from here on.
    }

    /// <summary>
    /// Sends the batch and hands the reader to the first read. Never throws: the reads receive the error. Call it in a clean
    /// context, because it runs for all of them.
    /// </summary>
    public async Task RunAsync()
    {
        Span = multiplexer.Tracing.StartBatch(Length);
        long? sent = null;
        bool isSerializable;
        try
        {
            var wanted = _reads[0].Wanted;
            await Server.EnsureSettingsAsync(wanted, SettingRoute.AheadOfTransaction, isInTransaction: false, CancellationToken.None).ConfigureAwait(false);
            sent = time.GetTimestamp();
            _reader = await _batch!.ExecuteReaderAsync(_reads[0].Behavior, CancellationToken.None).ConfigureAwait(false);
            await _reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            isSerializable = await _reader.GetFieldValueAsync<bool>(1, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            OnNotBegun(e, sent);
            await FinishAsync().ConfigureAwait(false);
            return;
        }

        _share = multiplexer.Eligibility.OnBatchServed(_reads, Elapsed(sent.Value), hasBegun: true);
        _isPreparing = NpgsqlInternals.IsPreparing(_batch);
        if (multiplexer.Eligibility.OnBegun(isSerializable, isProbe))
        {
            await MoveOnAsync().ConfigureAwait(false);
        }
        else
        {
            multiplexer.Requeue(_slots!.TakeRest(), RequeueReason.BatchEnded, BatchOutcome.RunSolo, error: null);
            await FinishAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Hands the reader to the next read. The task ends after that or, for the last read, when the server connection is released.
    /// </summary>
    public Task EndSlotAsync(BatchedRead read)
    {
        var isLast = _slots!.IsLast;
        multiplexer.Eligibility.OnServed(read, _slots.Elapsed + _share);
        var moving = MoveOnAsync();
        return isLast ? moving : Task.CompletedTask; // A read does not wait for the result of another one, requeued or not.
    }

    /// <inheritdoc cref="ResultSlots.OnBegun"/>
    public void OnSlotBegun() => _slots!.OnBegun();

    /// <summary>
    /// Reading in a result slot failed. Npgsql 10 then considers the rest of the batch read: statements in it that it was about
    /// to prepare count as prepared for ever. After any failure except the server's own, answers may still be under way. In both
    /// cases the connection must be closed.
    /// </summary>
    public void OnSlotFailed(BatchedRead read, Exception error)
    {
        if (error is PostgresException { SqlState: var state })
        {
            multiplexer.Eligibility.OnFailedInBatch(read, state);
        }

        if (!_slots!.IsLast)
        {
            MarkAfter(error);
        }
    }

    /// <inheritdoc cref="ResultSlots.CancelServer"/>
    public void CancelServer(BatchedRead read) => _slots?.CancelServer(read); // A read that left its group remembers a batch that was never sent.

    /// <inheritdoc cref="ResultSlots.Watch"/>
    public void Watch() => _slots!.Watch();

    private NpgsqlBatch CreateBatch()
    {
        var batch = new NpgsqlBatch(Server.Npgsql) { Timeout = _reads[0].CommandTimeout };
        batch.BatchCommands.Add(new NpgsqlBatchCommand(ReadOnly));
        foreach (var read in _reads)
        {
            batch.BatchCommands.Add(read.Statement!);
        }

        return batch;
    }

    private async Task MoveOnAsync()
    {
        while (_slots!.TryAdvance(out var next))
        {
            if (Server.IsSuspect || NpgsqlInternals.IsUserCancelled(Server.Npgsql))
            {
                Server.Mark(Taint.Suspect);
                OnLost(); // A late cancel request for its read may hit the statement that the server runs now.
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

            if (_slots.TryHandOver(next))
            {
                return;
            }
        }

        await FinishElsewhereAsync().ConfigureAwait(false);
    }

    // Not in the last read's context.
    private Task FinishElsewhereAsync()
    {
        var finishing = Task.CompletedTask;
        CleanContext.Run(static run => run(), () => finishing = FinishAsync());
        return finishing;
    }

    // The read in the result slot was cancelled or failed, which ended the results behind it.
    private void OnLost()
        => multiplexer.Requeue(_slots!.TakeRest(), RequeueReason.BatchEnded, Server.IsBroken ? BatchOutcome.RunSolo : BatchOutcome.LeadNext, error: null);

    // No result has come: a step before all of them failed, or all did. The read at fault is unknown, so each runs solo.
    private void OnNotBegun(Exception error, long? sent)
    {
        Server.Observe(error);
        var rest = _slots!.TakeRest();
        if (sent is { } since)
        {
            multiplexer.Eligibility.OnBatchServed(_reads, Elapsed(since), hasBegun: false);
            MarkAfter(error);
            if (error is PostgresException refusal && refusal.SqlState != PostgresErrorCodes.QueryCanceled && !Server.IsBroken)
            {
                multiplexer.Eligibility.OnRefused(refusal); // No statement of a caller has run.
            }
        }

        multiplexer.Requeue(rest, RequeueReason.Failed, BatchOutcome.RunSolo, error);
    }

    // The awaited statement failed, or the connection did, which any of the reads may have broken.
    private void OnFailed(Exception error)
    {
        Server.Observe(error);
        MarkAfter(error);
        var rest = FailTimedOut(_slots!.TakeRest(), error);
        if (rest.Length > 0 && error is PostgresException { SqlState: var state } && !Server.IsBroken)
        {
            multiplexer.Eligibility.OnFailedInBatch(rest[0], state);
            multiplexer.Requeue(rest.AsSpan(0, 1), RequeueReason.Failed, BatchOutcome.RunSolo, error);
            multiplexer.Requeue(rest.AsSpan(1), RequeueReason.BatchEnded, BatchOutcome.LeadNext, error);
            return;
        }

        multiplexer.Requeue(rest, RequeueReason.Failed, BatchOutcome.RunSolo, error);
    }

    // A time-out belongs to the first read, because the results before it have come.
    private static BatchedRead[] FailTimedOut(BatchedRead[] rest, Exception error)
    {
        if (rest.Length == 0 || error is not NpgsqlException { InnerException: TimeoutException })
        {
            return rest;
        }

        rest[0].TryFail(error);
        return rest[1..];
    }

    // See OnSlotFailed. A cancelled read also ends with the server's answer.
    private void MarkAfter(Exception error)
    {
        if (_isPreparing || error is not (PostgresException or OperationCanceledException { InnerException: PostgresException }))
        {
            Server.Mark(Taint.Desynchronized);
        }
    }

    private async Task FinishAsync()
    {
        _slots!.Finish();
        try
        {
            if (_reader is not null)
            {
                await _reader.DisposeAsync().ConfigureAwait(false); // Skips the results of reads that were requeued.
            }
        }
        catch (Exception e)
        {
            Server.Observe(e);
            MarkAfter(e);
        }

        await _cancellation!.ReleaseAsync().ConfigureAwait(false);
        _batch!.Dispose();
        Server.OnStatementEnded();
        multiplexer.Tracing.End(Span, error: null);
        multiplexer.Stalls.Remove(this);
        await lease.EndAsync().ConfigureAwait(false);
    }

    private long Elapsed(long since) => time.GetElapsedTime(since).Ticks;
}
