using System.Data;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// A read that may travel with others: waits on a platform, is aboard of a train, has its turn at the train's reader. Whoever moves it
/// out of waiting or being aboard tells it the outcome, so that it is told exactly once.
/// </summary>
/// <remarks>
/// What it is told goes through the global queue of the thread pool, in which all have their turns in order. In the queue of the telling thread, whoever
/// was told last would run first: a few trains would run round and round while the others stand.
/// </remarks>
/// <param name="command">Text and parameters, which nobody changes while it waits.</param>
/// <param name="behavior">How it reads: default, or in sequence.</param>
/// <param name="commandTimeout">In seconds.</param>
/// <param name="wanted">Session settings.</param>
/// <param name="record">Of its text.</param>
/// <param name="runner">Who runs it.</param>
internal sealed class Passenger(NpgsqlCommand command, CommandBehavior behavior, int commandTimeout, SettingMap wanted, BoardingRecord record, ILeaseHolder runner)
    : IValueTaskSource<BoardingOutcome>, IThreadPoolWorkItem, IServerOwner, ILeaseHolder
{
    private const int Waiting = 0;
    private const int Aboard = 1;
    private const int InTurn = 2;
    private const int Done = 3;

    private ManualResetValueTaskSourceCore<BoardingOutcome> _outcome; // set by the work item
    private BoardingOutcome _told; // written by the one who tells, before the work item is queued
    private Exception? _failure; // as _told
    private int _state; // Interlocked only: Waiting, Aboard, InTurn, Done
    private Train? _train; // written before Aboard is published
    private CancellationToken _token; // written before a cancellation can come
    private DateTimeOffset _began; // written by the passenger's own flow: since when it waits, if traces want to know
    private TrainTracing? _tracing; // written by the passenger's own flow at its turn
    private Activity? _span; // as _tracing
    private Exception? _error; // used by the one who reads

    /// <summary>What the train runs for it. Written by the passenger's own flow before it boards.</summary>
    public NpgsqlBatchCommand? Statement { get; private set; }

    public CommandBehavior Behavior => behavior;

    public int CommandTimeout => commandTimeout;

    public SettingMap Wanted => wanted;

    public BoardingRecord Record => record;

    /// <summary>It failed in a train, and so would have ended it for the others. Written by the train, before it is told.</summary>
    public bool HasFailedAboard { get; set; }

    /// <summary>Since when it waits for a server connection, by the pool's clock. Written by the passenger's own flow.</summary>
    public long Since { get; set; }

    /// <summary>The reader that stands at its result, while it has its turn.</summary>
    public NpgsqlDataReader Reader => _train!.Reader;

    public ServerConnection Server => _train!.Server;

    public LeaseScope Scope => LeaseScope.Reader;

    public string? Activity => Volatile.Read(ref _state) is Aboard or InTurn && _train is { } train ? $"train of {train.Length}, at: {train.CurrentText}" : Text;

    public object? Affinity => runner.Affinity;

    public string? Text => runner.Activity;

    public bool IsTransaction => false;

    /// <summary>It reads.</summary>
    public bool IsInTurn => Volatile.Read(ref _state) == InTurn;

    /// <summary>Before each wait; nobody else knows the passenger yet, or any more.</summary>
    public void StartWaiting()
    {
        _outcome.Reset();
        _failure = null;
        if (_began == default)
        {
            _began = TrainTracing.Now;
        }

        if (Statement is null || _train is not null)
        {
            Statement = PassengerParameters.Copy(command); // Not a second time what another train may still be sending.
        }

        _train = null;
        Volatile.Write(ref _state, Waiting);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<BoardingOutcome> WaitAsync(CancellationToken cancellationToken)
    {
        _token = cancellationToken;
        using var cancellation = cancellationToken.UnsafeRegister(static passenger => ((Passenger)passenger!).Cancel(), this);
        return await new ValueTask<BoardingOutcome>(this, _outcome.Version).ConfigureAwait(false);
    }

    /// <returns>Whether it goes with the train; else it has left the platform.</returns>
    public bool TryGetIn(Train train)
    {
        _train = train;
        return Interlocked.CompareExchange(ref _state, Aboard, Waiting) == Waiting;
    }

    /// <returns>Whether it waited on the platform, and is told to drive.</returns>
    public bool TryPromote() => TryTell(Waiting, BoardingOutcome.Drive);

    /// <returns>Whether it waited on the platform, and is told to run alone.</returns>
    public bool TrySendAway() => TryTell(Waiting, BoardingOutcome.RunAlone);

    /// <returns>Whether it has its turn now; else it has left.</returns>
    public bool TryBeginTurn()
    {
        if (Interlocked.CompareExchange(ref _state, InTurn, Aboard) != Aboard)
        {
            return false;
        }

        Tell(BoardingOutcome.Turn);
        return true;
    }

    /// <returns>Whether it was aboard, and is told to run elsewhere.</returns>
    public bool TrySetDown(BoardingOutcome outcome) => TryTell(Aboard, outcome);

    /// <returns>Whether it was aboard, and is told of the error.</returns>
    public bool TryFail(Exception error)
    {
        if (Interlocked.CompareExchange(ref _state, Done, Aboard) != Aboard)
        {
            return false;
        }

        Tell(error);
        return true;
    }

    /// <summary>It has its turn, in the calling flow.</summary>
    public void BeginSpan(TrainTracing tracing)
    {
        _tracing = tracing;
        _span = tracing.StartPassenger(command.CommandText, _train!.Span, _began);
    }

    /// <summary>Whoever is aboard has been sent to the server, so it may be cancelled from any thread, as if it ran alone; who waits for that still has nothing to cancel.</summary>
    public void CancelAboard()
    {
        var answer = new PostgresException("canceling statement due to user request", "ERROR", "ERROR", PostgresErrorCodes.QueryCanceled);
        if (!TryFail(new OperationCanceledException("Query was cancelled", answer)))
        {
            CancelServer(); // If it has its turn already.
        }
    }

    /// <summary>Asks the server to stop the statement, if it is this passenger's turn.</summary>
    public void CancelServer() => _train?.CancelServer(this);

    BoardingOutcome IValueTaskSource<BoardingOutcome>.GetResult(short token) => _outcome.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<BoardingOutcome>.GetStatus(short token) => _outcome.GetStatus(token);

    void IValueTaskSource<BoardingOutcome>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _outcome.OnCompleted(continuation, state, token, flags);

    void IThreadPoolWorkItem.Execute()
    {
        if (_failure is { } failure)
        {
            _outcome.SetException(failure);
            return;
        }

        if (_told == BoardingOutcome.Turn)
        {
            _train!.OnTurnBegun();
        }

        _outcome.SetResult(_told);
    }

    void IServerOwner.OnStatementFailed(Exception error)
    {
        _error = error;
        _train!.OnTurnFailed(this, error);
    }

    // What is left of the train finds out by itself.
    void IServerOwner.OnServerBroken(Exception cause)
    {
    }

    void IServerOwner.OnStatementEnded() => _ = EndTurnAsync();

    ValueTask IServerOwner.OnStatementEndedAsync() => new(EndTurnAsync());

    private Task EndTurnAsync()
    {
        _tracing!.End(_span, _error);
        return _train!.EndTurnAsync(this);
    }

    private void Tell(BoardingOutcome outcome)
    {
        _told = outcome;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Tell(Exception failure)
    {
        _failure = failure;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    // The driver, or the train at its turn, will find the seat empty. Whoever is cancelled when its turn begins has its reader all the same.
    private void Cancel()
    {
        if (Interlocked.CompareExchange(ref _state, Done, Waiting) == Waiting || Interlocked.CompareExchange(ref _state, Done, Aboard) == Aboard)
        {
            Tell(new OperationCanceledException(_token));
        }
    }

    private bool TryTell(int from, BoardingOutcome outcome)
    {
        if (Interlocked.CompareExchange(ref _state, Done, from) != from)
        {
            return false;
        }

        Tell(outcome); // Also if it is being cancelled: it counts as a driver until it has tried to drive, which throws then.
        return true;
    }
}
