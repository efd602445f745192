using System.Runtime.ExceptionServices;
using EfPooling.Core;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The one flow of control that listens, from the first subscriber until the last one has left: opens a server connection, issues
/// its LISTEN commands, replaces it after a break, and closes it. Runs once.
/// </summary>
internal sealed class ListenerRun(ListenerState state, ServerConnector connector, TransactionPoolingOptions options, string name, PoolClock clock, ILogger logger)
{
    private ListenerSession? _session; // guarded by state.Gate: the session whose notifications count
    private long? _broken; // used by the flow only: since when live subscriptions have been interrupted

    /// <summary>Returns, and completes <paramref name="run"/>, when there is no subscriber left. Throws nothing.</summary>
    public async Task RunAsync(TaskCompletionSource run)
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
        lock (state.Gate)
        {
            if (state.Ledger.Count > 0)
            {
                return true;
            }

            state.Run = null;
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
            if (session is not null)
            {
                await session.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task<ListenerSession?> OpenAsync()
    {
        var opening = connector.OpenAsync(CancellationToken.None);
        await Task.WhenAny(opening, state.Closing.Task).ConfigureAwait(false);
        if (!opening.IsCompleted)
        {
            _ = CloseWhenOpenedAsync(opening);
            return null;
        }

        var connection = await opening.ConfigureAwait(false);
        var session = new ListenerSession(connection, connector, options, clock.Time, Deliver, state.WakeUp.Call);
        lock (state.Gate)
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
            await connector.CloseAsync(opening.Result).ConfigureAwait(false);
        }
    }

    /// <summary>Returns when there is no subscriber left.</summary>
    private async Task ServeAsync(ListenerSession session)
    {
        while (true)
        {
            state.WakeUp.Reset();
            SubscriptionChanges changes;
            lock (state.Gate)
            {
                changes = state.Ledger.TakeChangesLocked();
                if (state.Ledger.Count == 0)
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
            await session.WaitAsync(state.WakeUp.Called).ConfigureAwait(false);
        }
    }

    private void OnChanged(ListenerSession session, SubscriptionChanges changes, IReadOnlyList<(string Channel, PostgresException Error)> refused)
    {
        var isFirst = false;
        var refusals = new List<(List<Subscription> Subscriptions, PostgresException Error)>();
        var isRefusedAgain = false;
        int subscriptions;
        lock (state.Gate)
        {
            state.Ledger.ListeningLocked(changes.Listen.Except(refused.Select(refusal => refusal.Channel)));
            foreach (var (channel, error) in refused)
            {
                refusals.Add((state.Ledger.TakeNewLocked(channel), error));
                isRefusedAgain |= state.Ledger.HasSubscriptionsLocked(channel);
            }

            if (!isRefusedAgain)
            {
                isFirst = !session.IsEstablished;
                session.IsEstablished = true;
                state.Refusal = null;
            }

            subscriptions = state.Ledger.Count;
        }

        refusals.ForEach(refusal => Subscription.EndAll(refusal.Subscriptions, refusal.Error));
        if (isRefusedAgain)
        {
            // The channel was listened to before the break. Perhaps this is a standby now, and the next attempt finds the primary
            // server.
            throw refused[0].Error;
        }

        if (isFirst && _broken is { } since)
        {
            _broken = null;
            Log.NotificationsReceivedAgain(logger, name, clock.Between(since, clock.Now), subscriptions);
        }
    }

    private TimeSpan OnFailed(Exception error, ListenerSession? session)
    {
        var wasEstablished = session is { IsEstablished: true };
        var refused = new List<Subscription>();
        var pause = TimeSpan.Zero;
        int interrupted;
        lock (state.Gate)
        {
            _session = null;
            state.Ledger.LostLocked();
            if (!wasEstablished)
            {
                refused = state.Ledger.TakeNewLocked();
                state.Refusal = ExceptionDispatchInfo.Capture(error);
            }

            // Each gap makes every subscriber reload its state. So a connection that breaks soon after its open counts as failed.
            if (wasEstablished && session!.Age > options.ServerLoginRetry)
            {
                state.Backoff.Reset();
            }
            else
            {
                pause = state.Backoff.Failed(error, isWanted: true, clock.Now);
            }

            interrupted = state.Ledger.Count;
        }

        if (wasEstablished)
        {
            _broken = clock.Now;
            Log.NotificationsBroken(logger, error, name, interrupted);
        }
        else
        {
            Log.NotificationsFailed(logger, error, name, pause, refused.Count);
        }

        Subscription.EndAll(refused, error);
        return pause;
    }

    /// <summary>Ends early when there is no subscriber left, or a new one, which is refused while callers are held off.</summary>
    private async Task PauseAsync(TimeSpan pause)
    {
        using var end = new CancellationTokenSource();
        var over = pause > TimeSpan.Zero ? Task.Delay(pause, clock.Time, end.Token) : Task.CompletedTask;
        while (!over.IsCompleted)
        {
            state.WakeUp.Reset();
            lock (state.Gate)
            {
                if (state.Ledger.Count == 0 || state.Ledger.HasNewLocked())
                {
                    break;
                }
            }

            await Task.WhenAny(over, state.WakeUp.Called).ConfigureAwait(false);
        }

        if (over.IsCompleted)
        {
            lock (state.Gate)
            {
                state.Backoff.EndPause();
            }
        }

        await end.CancelAsync().ConfigureAwait(false);
    }

    private void Deliver(ListenerSession session, NpgsqlNotificationEventArgs notification)
    {
        int behind;
        lock (state.Gate)
        {
            if (!ReferenceEquals(session, _session))
            {
                return; // A newer session has replaced this one, and begins with a gap.
            }

            behind = state.Ledger.DispatchLocked(new ChannelNotification(notification.Channel, notification.Payload, notification.PID));
        }

        if (behind > 0)
        {
            Log.SubscribersFellBehind(logger, name, notification.Channel, behind, options.NotificationBacklog);
        }
    }
}
