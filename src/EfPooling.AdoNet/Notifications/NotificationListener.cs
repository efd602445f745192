using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using EfPooling.Core;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The subscriptions of one data source, and the one server connection that listens for all of them while there are any. It is beside
/// the pool's slots: a lease of the pool would be held as long as anybody subscribes, and a pool of one connection would be left with none.
/// </summary>
/// <remarks>
/// <para>
/// <i>Why a gap is enough.</i> PostgreSQL delivers to a session whatever commits after an instant during the commit of its LISTEN, in the order of
/// the commits, once per session, and not before the commit. A subscriber gets its gap when that LISTEN has been committed, or later. Whatever it loads
/// after the gap contains what was committed before that instant, and it hears of everything else.
/// </para>
/// <para>Subscribers enter and leave under the gate; one flow of control (the run) opens, listens, re-establishes and closes.</para>
/// </remarks>
internal sealed class NotificationListener
{
    private readonly Lock _gate = new();
    private readonly SubscriptionLedger _ledger; // guarded by _gate
    private readonly LoginBackoff _backoff; // guarded by _gate
    private readonly PoolClock _clock;
    private readonly ServerConnector _connector;
    private readonly TransactionPoolingOptions _options;
    private readonly string _name;
    private readonly ILogger _logger;
    private readonly WakeUp _wakeUp = new();
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ExceptionDispatchInfo? _refusal; // guarded by _gate: why the last attempt to connect failed; null: it did not
    private ListenerSession? _session; // guarded by _gate: the one whose notifications count
    private TaskCompletionSource? _run; // guarded by _gate: completes when the run ends; null: there is none
    private bool _isClosed; // guarded by _gate
    private long? _broken; // used by the run only: since when live subscriptions have been interrupted

    public NotificationListener(ServerConnector connector, TransactionPoolingOptions options, string name, TimeProvider time, ILogger logger)
    {
        (_connector, _options, _name, _logger) = (connector, options, name, new GuardedLogger(logger));
        _clock = new PoolClock(time);
        _ledger = new SubscriptionLedger(_gate);
        _backoff = new LoginBackoff(options, _clock, Random.Shared);
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
    /// <param name="drain">How long to wait for the server connection to be closed. One that is still being opened closes by itself later.</param>
    /// <returns>Whether it was closed in time. Without a drain nothing waits, and it is true.</returns>
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
        lock (_gate)
        {
            _isClosed = true;
            ended = _ledger.TakeAllLocked();
            stopped = _run?.Task ?? Task.CompletedTask;
        }

        End(ended, ExceptionDispatchInfo.Capture(new PoolClosedException(_name)));
        _closing.TrySetResult();
        _wakeUp.Call();
        return stopped;
    }

    private static void End(List<Subscription> subscriptions, ExceptionDispatchInfo error) => subscriptions.ForEach(subscription => subscription.End(error));

    private void Enter(Subscription subscription)
    {
        var mustListen = false;
        TaskCompletionSource? run = null;
        lock (_gate)
        {
            if (_isClosed)
            {
                throw new PoolClosedException(_name);
            }

            if (_backoff.IsHolding(_clock.Now))
            {
                _refusal?.Throw(); // As the pool does: who comes while opens are held off is told why.
            }

            mustListen = _ledger.AddLocked(subscription);
            if (_run is null)
            {
                run = _run = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        if (run is not null)
        {
            CleanContext.Run(static call => _ = Task.Run(() => call.Listener.RunAsync(call.Run)), (Listener: this, Run: run));
        }
        else if (mustListen)
        {
            _wakeUp.Call();
        }
    }

    private void Leave(Subscription subscription)
    {
        bool wasLast;
        lock (_gate)
        {
            wasLast = _ledger.RemoveLocked(subscription);
        }

        if (wasLast)
        {
            _wakeUp.Call();
        }
    }

    private async Task RunAsync(TaskCompletionSource run)
    {
        while (GoesOn())
        {
            var pause = await ListenAsync().ConfigureAwait(false);
            await PauseAsync(pause).ConfigureAwait(false);
        }

        run.SetResult();
    }

    private bool GoesOn()
    {
        lock (_gate)
        {
            if (_ledger.Count > 0)
            {
                return true;
            }

            _run = null;
            _broken = null;
            return false;
        }
    }

    /// <summary>The life of one server connection. Throws nothing.</summary>
    /// <returns>How long to wait before the next one.</returns>
    private async Task<TimeSpan> ListenAsync()
    {
        ListenerSession? session = null;
        try
        {
            session = await OpenAsync().ConfigureAwait(false);
            if (session is not null)
            {
                await ServeAsync(session).ConfigureAwait(false);
            }

            return TimeSpan.Zero;
        }
        catch (Exception error)
        {
            return OnFailed(error, session);
        }
        finally
        {
            session?.Dispose();
        }
    }

    private async Task<ListenerSession?> OpenAsync()
    {
        var opening = _connector.OpenAsync(CancellationToken.None);
        await Task.WhenAny(opening, _closing.Task).ConfigureAwait(false);
        if (!opening.IsCompleted)
        {
            _ = CloseWhenOpenedAsync(opening);
            return null;
        }

        var connection = await opening.ConfigureAwait(false);
        var session = new ListenerSession(connection, _connector, _options, _clock.Time, Deliver, _wakeUp.Call);
        lock (_gate)
        {
            _session = session;
        }

        return session;
    }

    private async Task CloseWhenOpenedAsync(Task<ServerConnection> opening)
    {
        await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (opening.IsCompletedSuccessfully)
        {
            _connector.Close(opening.Result);
        }
    }

    /// <summary>Returns when nobody subscribes any more.</summary>
    private async Task ServeAsync(ListenerSession session)
    {
        while (true)
        {
            _wakeUp.Reset();
            SubscriptionChanges changes;
            lock (_gate)
            {
                changes = _ledger.TakeChangesLocked();
                if (_ledger.Count == 0)
                {
                    _session = null;
                    return;
                }
            }

            if (!changes.AreNone)
            {
                OnChanged(session, changes, await session.ChangeAsync(changes).ConfigureAwait(false));
            }

            await session.CheckIfDueAsync().ConfigureAwait(false);
            await session.WaitAsync(_wakeUp.Called).ConfigureAwait(false);
        }
    }

    private void OnChanged(ListenerSession session, SubscriptionChanges changes, IReadOnlyList<(string Channel, PostgresException Error)> refused)
    {
        var isFirst = false;
        var refusals = new List<(List<Subscription> Subscriptions, PostgresException Error)>();
        var isRefusedAgain = false;
        int subscriptions;
        lock (_gate)
        {
            _ledger.ListeningLocked(changes.Listen.Except(refused.Select(refusal => refusal.Channel)));
            foreach (var (channel, error) in refused)
            {
                refusals.Add((_ledger.TakeNewLocked(channel), error));
                isRefusedAgain |= _ledger.HasSubscriptionsLocked(channel);
            }

            if (!isRefusedAgain)
            {
                isFirst = !session.IsEstablished;
                session.IsEstablished = true;
                _refusal = null;
            }

            subscriptions = _ledger.Count;
        }

        refusals.ForEach(refusal => End(refusal.Subscriptions, ExceptionDispatchInfo.Capture(refusal.Error)));
        if (isRefusedAgain)
        {
            // It was heard before the break: perhaps this is a standby now, and the next attempt finds the primary server.
            throw refused[0].Error;
        }

        if (isFirst && _broken is { } since)
        {
            _broken = null;
            Log.NotificationsReceivedAgain(_logger, _name, _clock.Between(since, _clock.Now), subscriptions);
        }
    }

    private TimeSpan OnFailed(Exception error, ListenerSession? session)
    {
        var wasEstablished = session is { IsEstablished: true };
        var refused = new List<Subscription>();
        var pause = TimeSpan.Zero;
        int interrupted;
        lock (_gate)
        {
            _session = null;
            _ledger.LostLocked();
            if (!wasEstablished)
            {
                refused = _ledger.TakeNewLocked();
                _refusal = ExceptionDispatchInfo.Capture(error);
            }

            // Each gap makes every subscriber load its state anew: connections that break soon after they are made count as failed ones.
            if (wasEstablished && session!.Age > _options.ServerLoginRetry)
            {
                _backoff.Reset();
            }
            else
            {
                pause = _backoff.Failed(error, _clock.Now);
            }

            interrupted = _ledger.Count;
        }

        if (wasEstablished)
        {
            _broken = _clock.Now;
            Log.NotificationsBroken(_logger, error, _name, interrupted);
        }
        else
        {
            Log.NotificationsFailed(_logger, error, _name, pause, refused.Count);
        }

        End(refused, ExceptionDispatchInfo.Capture(error));
        return pause;
    }

    /// <summary>Ends early when nobody subscribes any more.</summary>
    private async Task PauseAsync(TimeSpan pause)
    {
        using var end = new CancellationTokenSource();
        var over = pause > TimeSpan.Zero ? Task.Delay(pause, _clock.Time, end.Token) : Task.CompletedTask;
        while (!over.IsCompleted)
        {
            _wakeUp.Reset();
            lock (_gate)
            {
                if (_ledger.Count == 0)
                {
                    break;
                }
            }

            await Task.WhenAny(over, _wakeUp.Called).ConfigureAwait(false);
        }

        if (over.IsCompleted)
        {
            lock (_gate)
            {
                _backoff.EndPause();
            }
        }

        await end.CancelAsync().ConfigureAwait(false);
    }

    private void Deliver(ListenerSession session, NpgsqlNotificationEventArgs notification)
    {
        int behind;
        lock (_gate)
        {
            if (!ReferenceEquals(session, _session))
            {
                return; // It was given up, and its successor begins with a gap.
            }

            behind = _ledger.DispatchLocked(new ChannelNotification(notification.Channel, notification.Payload, notification.PID));
        }

        if (behind > 0)
        {
            Log.SubscribersFellBehind(_logger, _name, notification.Channel, behind, _options.NotificationBacklog);
        }
    }
}
