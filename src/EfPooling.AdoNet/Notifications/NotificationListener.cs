using System.Runtime.CompilerServices;
using EfPooling.Core;
using Microsoft.Extensions.Logging;

namespace EfPooling.AdoNet;

/// <summary>
/// The subscriptions of one data source, and the one server connection that listens for all of them while there are any. It does
/// not use the pool's slots: a lease would last as long as the subscriptions, and a pool of one connection would have none left.
/// </summary>
/// <remarks>
/// <para>
/// <i>Why a gap is enough.</i> PostgreSQL delivers to a session everything that commits after an instant during the commit of its
/// LISTEN, in the order of the commits, once per session, and not before the commit. A subscriber gets its gap when that LISTEN
/// has been committed, or later. The state that it loads after the gap contains everything committed before that instant, and it
/// is notified of everything else.
/// </para>
/// <para>
/// Subscribers enter and leave under the gate. One flow of control, the <see cref="ListenerRun"/>, opens, listens, reconnects and
/// closes.
/// </para>
/// </remarks>
internal sealed class NotificationListener
{
    private readonly ListenerState _state;
    private readonly PoolClock _clock;
    private readonly ServerConnector _connector;
    private readonly TransactionPoolingOptions _options;
    private readonly string _name;
    private readonly ILogger _logger;

    /// <summary>The data source, which is in use as long as there are subscribers.</summary>
    public object? Owner { get; init; }

    public NotificationListener(ServerConnector connector, TransactionPoolingOptions options, string name, TimeProvider time, ILogger logger)
    {
        (_connector, _options, _name, _logger) = (connector, options, name, new GuardedLogger(logger));
        _clock = new PoolClock(time);
        _state = new ListenerState(options, _clock);
    }

    /// <summary>Whether there are subscribers.</summary>
    public bool IsInUse
    {
        get
        {
            lock (_state.Gate)
            {
                return _state.Ledger.Count > 0;
            }
        }
    }

    /// <summary>Each enumeration is a subscription of its own, from its first MoveNextAsync until it is disposed.</summary>
    public async IAsyncEnumerable<ChannelNotification> SubscribeAsync(string channel, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var subscription = new Subscription(channel, _options.NotificationBacklog);
        Enter(subscription);
        try
        {
            while (true)
            {
                yield return await subscription.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            Leave(subscription);
        }
    }

    /// <summary>Ends every subscription with <see cref="PoolClosedException"/> and refuses new ones.</summary>
    /// <param name="drain">
    /// How long to wait for the close of the server connection. A connection that is still being opened closes by itself later.
    /// </param>
    /// <returns>Whether it was closed in time. True without a drain, because then there is no wait.</returns>
    public async Task<bool> CloseAsync(TimeSpan drain)
    {
        var stopped = Close();
        if (drain == TimeSpan.Zero)
        {
            return true;
        }

        await stopped.WaitAsync(drain, _clock.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return stopped.IsCompleted;
    }

    private Task Close()
    {
        List<Subscription> ended;
        Task stopped;
        lock (_state.Gate)
        {
            _state.IsClosed = true;
            ended = _state.Ledger.TakeAllLocked();
            stopped = _state.Run?.Task ?? Task.CompletedTask;
        }

        Subscription.EndAll(ended, new PoolClosedException(_name));
        _state.Closing.TrySetResult();
        _state.WakeUp.Call();
        return stopped;
    }

    private void Enter(Subscription subscription)
    {
        var mustListen = false;
        TaskCompletionSource? run = null;
        lock (_state.Gate)
        {
            if (_state.IsClosed)
            {
                throw new PoolClosedException(_name);
            }

            if (_state.Backoff.IsHoldingCallers(_clock.Now))
            {
                _state.Refusal?.Throw(); // As in the pool: a caller that is held off gets the reason.
            }

            mustListen = _state.Ledger.AddLocked(subscription);
            if (_state.Run is null)
            {
                run = _state.Run = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        if (run is not null)
        {
            var flow = new ListenerRun(_state, _connector, _options, _name, _clock, _logger);
            CleanContext.Run(static call => _ = Task.Run(() => call.Flow.RunAsync(call.Run)), (Flow: flow, Run: run));
        }
        else if (mustListen)
        {
            _state.WakeUp.Call();
        }
    }

    private void Leave(Subscription subscription)
    {
        bool wasLast;
        lock (_state.Gate)
        {
            wasLast = _state.Ledger.RemoveLocked(subscription);
        }

        if (wasLast)
        {
            _state.WakeUp.Call();
        }
    }
}
