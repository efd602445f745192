using System.Data;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// A read that may share a round trip. It waits in a group, then is in a batch, then has its result slot. The flow that moves it
/// out of waiting or out of the batch tells it the outcome, so it is told exactly once.
/// </summary>
/// <remarks>
/// The outcome goes through the thread pool's global queue, which is first in, first out. In the telling thread's own queue, the
/// last read told would run first: a few batches would run again and again while the others wait.
/// </remarks>
/// <param name="command">Text and parameters, which do not change while it waits.</param>
/// <param name="behavior">How it reads: default, or in sequence.</param>
/// <param name="commandTimeout">In seconds.</param>
/// <param name="wanted">Session settings.</param>
/// <param name="record">The record of its text.</param>
/// <param name="runner">The runner of its command.</param>
internal sealed class BatchedRead(NpgsqlCommand command, CommandBehavior behavior, int commandTimeout, SettingMap wanted, EligibilityRecord record, ILeaseHolder runner)
    : IValueTaskSource<BatchOutcome>, IThreadPoolWorkItem, IServerOwner, ILeaseHolder
{
    private const int Waiting = 0;
    private const int InBatch = 1;
    private const int InSlot = 2;
    private const int Done = 3;

    private ManualResetValueTaskSourceCore<BatchOutcome> _outcome; // set by the work item
    private BatchOutcome _told; // written by the flow that tells, before the work item is queued
    private Exception? _failure; // as _told
    private int _state; // Interlocked only: Waiting, InBatch, InSlot, Done
    private ReadBatch? _batch; // written before InBatch is published
    private CancellationToken _token; // written before a cancellation can arrive
    private DateTimeOffset _began; // written by the read's own flow: when it began to wait, if a trace records it
    private MultiplexingTracing? _tracing; // written by the read's own flow at its result slot
    private Activity? _span; // as _tracing
    private Exception? _error; // used by the reading flow

    /// <summary>The statement that the batch runs for it. Written by the read's own flow before it joins.</summary>
    public NpgsqlBatchCommand? Statement { get; private set; }

    public CommandBehavior Behavior => behavior;

    public int CommandTimeout => commandTimeout;

    public SettingMap Wanted => wanted;

    public EligibilityRecord Record => record;

    /// <summary>
    /// Whether it failed in a batch, and so would have ended the batch for the others. Written by the batch before the read is
    /// told.
    /// </summary>
    public bool HasFailedInBatch { get; set; }

    /// <summary>When it began to wait for a server connection, by the pool's clock. Written by the read's own flow.</summary>
    public long Since { get; set; }

    /// <summary>The reader positioned at its result, while it has its result slot.</summary>
    public NpgsqlDataReader Reader => _batch!.Reader;

    public ServerConnection Server => _batch!.Server;

    public LeaseScope Scope => LeaseScope.Reader;

    public string? Activity => Volatile.Read(ref _state) is InBatch or InSlot && _batch is { } batch ? $"batch of {batch.Length}, at: {batch.CurrentText}" : Text;

    public object? Affinity => runner.Affinity;

    public string? Text => runner.Activity;

    public bool IsTransaction => false;

    /// <summary>Whether it has its result slot.</summary>
    public bool IsInSlot => Volatile.Read(ref _state) == InSlot;

    /// <summary>Called before each wait, while no other flow knows the read.</summary>
    public void StartWaiting()
    {
        _outcome.Reset();
        _failure = null;
        if (_began == default)
        {
            _began = MultiplexingTracing.Now;
        }

        if (Statement is null || _batch is not null)
        {
            Statement = BatchedParameters.Copy(command); // A new statement, because another batch may still be sending the old one.
        }

        _batch = null;
        Volatile.Write(ref _state, Waiting);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<BatchOutcome> WaitAsync(CancellationToken cancellationToken)
    {
        _token = cancellationToken;
        using var cancellation = cancellationToken.UnsafeRegister(static read => ((BatchedRead)read!).Cancel(), this);
        return await new ValueTask<BatchOutcome>(this, _outcome.Version).ConfigureAwait(false);
    }

    /// <returns>Whether it joined the batch; otherwise it has left its group.</returns>
    public bool TryJoin(ReadBatch batch)
    {
        _batch = batch;
        return Interlocked.CompareExchange(ref _state, InBatch, Waiting) == Waiting;
    }

    /// <returns>Whether it waited in its group, and is told to lead.</returns>
    public bool TryPromote() => TryTell(Waiting, BatchOutcome.Lead);

    /// <returns>Whether it waited in its group, and is told to run solo.</returns>
    public bool TrySendSolo() => TryTell(Waiting, BatchOutcome.RunSolo);

    /// <returns>Whether it has its result slot now; otherwise it has left.</returns>
    public bool TryBeginSlot()
    {
        if (Interlocked.CompareExchange(ref _state, InSlot, InBatch) != InBatch)
        {
            return false;
        }

        Tell(BatchOutcome.ResultSlot);
        return true;
    }

    /// <returns>Whether it was in the batch, and is told to run elsewhere.</returns>
    public bool TryRequeue(BatchOutcome outcome) => TryTell(InBatch, outcome);

    /// <returns>Whether it was in the batch, and is told of the error.</returns>
    public bool TryFail(Exception error)
    {
        if (Interlocked.CompareExchange(ref _state, Done, InBatch) != InBatch)
        {
            return false;
        }

        Tell(error);
        return true;
    }

    /// <summary>It has its result slot, in the calling flow.</summary>
    public void BeginSpan(MultiplexingTracing tracing)
    {
        _tracing = tracing;
        _span = tracing.StartRead(command.CommandText, _batch!.Span, _began);
    }

    /// <summary>
    /// Cancels the read, as if it ran solo, if its batch was sent to the server. May be called from any thread. A read that still
    /// waits has nothing to cancel.
    /// </summary>
    public void CancelInBatch()
    {
        var answer = new PostgresException("canceling statement due to user request", "ERROR", "ERROR", PostgresErrorCodes.QueryCanceled);
        if (!TryFail(new OperationCanceledException("Query was cancelled", answer)))
        {
            CancelServer(); // In case it has its result slot already.
        }
    }

    /// <summary>Asks the server to stop the statement if this read has the result slot.</summary>
    public void CancelServer() => _batch?.CancelServer(this);

    BatchOutcome IValueTaskSource<BatchOutcome>.GetResult(short token) => _outcome.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<BatchOutcome>.GetStatus(short token) => _outcome.GetStatus(token);

    void IValueTaskSource<BatchOutcome>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _outcome.OnCompleted(continuation, state, token, flags);

    void IThreadPoolWorkItem.Execute()
    {
        if (_failure is { } failure)
        {
            _outcome.SetException(failure);
            return;
        }

        if (_told == BatchOutcome.ResultSlot)
        {
            _batch!.OnSlotBegun();
        }

        _outcome.SetResult(_told);
    }

    void IServerOwner.OnStatementFailed(Exception error)
    {
        _error = error;
        _batch!.OnSlotFailed(this, error);
    }

    // The rest of the batch notices by itself.
    void IServerOwner.OnServerBroken(Exception cause)
    {
    }

    void IServerOwner.OnStatementEnded() => _ = EndSlotAsync();

    ValueTask IServerOwner.OnStatementEndedAsync() => new(EndSlotAsync());

    private Task EndSlotAsync()
    {
        _tracing!.End(_span, _error);
        return _batch!.EndSlotAsync(this);
    }

    private void Tell(BatchOutcome outcome)
    {
        _told = outcome;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Tell(Exception failure)
    {
        _failure = failure;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    // The leader, or the batch at its result, finds that it has left. A read that is cancelled when its slot begins still gets
    // its reader.
    private void Cancel()
    {
        if (Interlocked.CompareExchange(ref _state, Done, Waiting) == Waiting || Interlocked.CompareExchange(ref _state, Done, InBatch) == InBatch)
        {
            Tell(new OperationCanceledException(_token));
        }
    }

    private bool TryTell(int from, BatchOutcome outcome)
    {
        if (Interlocked.CompareExchange(ref _state, Done, from) != from)
        {
            return false;
        }

        Tell(outcome); // Even if it is being cancelled: it counts as a leader until it has tried to lead, which then throws.
        return true;
    }
}
