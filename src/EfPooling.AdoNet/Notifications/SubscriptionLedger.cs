using System.Diagnostics;

namespace EfPooling.AdoNet;

/// <summary>
/// Who subscribes to what. Pure: no clock, no I/O, no await. Every member requires the gate. Posting to subscriptions happens under it
/// too, contrary to the rule: that only queues, and it makes sure that nothing of a connection that was given up follows the gap of the next one.
/// </summary>
internal sealed class SubscriptionLedger(Lock gate)
{
    private readonly Dictionary<string, SubscribedChannel> _channels = new(StringComparer.Ordinal); // guarded by gate

    /// <summary>Number of subscriptions.</summary>
    public int Count { get; private set; } // guarded by gate

    /// <returns>Whether the channel must be listened to first. Otherwise the subscription is live, with its gap.</returns>
    public bool AddLocked(Subscription subscription)
    {
        AssertHeld();
        if (!_channels.TryGetValue(subscription.Channel, out var channel))
        {
            _channels[subscription.Channel] = channel = new SubscribedChannel(subscription.Channel);
        }

        channel.Subscriptions.Add(subscription);
        Count++;
        if (channel.IsListening)
        {
            Enliven(subscription);
        }

        return !channel.IsListening;
    }

    /// <returns>Whether it was the last one of its channel.</returns>
    public bool RemoveLocked(Subscription subscription)
    {
        AssertHeld();
        if (!_channels.TryGetValue(subscription.Channel, out var channel) || !channel.Subscriptions.Remove(subscription))
        {
            return false; // It was ended by us.
        }

        Count--;
        return channel.Subscriptions.Count == 0;
    }

    /// <summary>Forgets channels without subscriptions: who comes now is a case for the next LISTEN.</summary>
    public SubscriptionChanges TakeChangesLocked()
    {
        AssertHeld();
        var listen = new List<string>();
        var unlisten = new List<string>();
        foreach (var channel in _channels.Values)
        {
            if (channel.Subscriptions.Count > 0 && !channel.IsListening)
            {
                listen.Add(channel.Name);
            }
            else if (channel.Subscriptions.Count == 0 && channel.IsListening)
            {
                unlisten.Add(channel.Name);
            }
        }

        Forget();
        return new SubscriptionChanges(listen, unlisten);
    }

    /// <summary>
    /// LISTEN was committed. Every subscription of these channels is told a gap: who loads its state after that sees whatever was committed
    /// before the LISTEN, and hears of whatever is committed after it.
    /// </summary>
    public void ListeningLocked(IEnumerable<string> channels)
    {
        AssertHeld();
        foreach (var name in channels)
        {
            var channel = _channels[name]; // Even if all have left meanwhile: then the next changes end it.
            channel.IsListening = true;
            channel.Subscriptions.ForEach(Enliven);
        }
    }

    /// <returns>How many subscribers have fallen behind.</returns>
    public int DispatchLocked(ChannelNotification notification)
    {
        AssertHeld();
        var behind = 0;
        if (_channels.TryGetValue(notification.Channel, out var channel))
        {
            foreach (var subscription in channel.Subscriptions)
            {
                // One that is not live has its gap still to come.
                behind += subscription.State == SubscriptionState.Live && subscription.Post(notification) ? 1 : 0;
            }
        }

        return behind;
    }

    /// <summary>The connection is gone.</summary>
    public void LostLocked()
    {
        AssertHeld();
        foreach (var channel in _channels.Values)
        {
            channel.IsListening = false;
            foreach (var subscription in channel.Subscriptions.Where(item => item.State == SubscriptionState.Live))
            {
                subscription.State = SubscriptionState.Interrupted;
            }
        }

        Forget();
    }

    /// <summary>Whether somebody has subscribed since the last attempt to listen.</summary>
    public bool HasNewLocked()
    {
        AssertHeld();
        return _channels.Values.Any(channel => channel.Subscriptions.Exists(item => item.State == SubscriptionState.New));
    }

    /// <summary>Removes the subscriptions that have never been live.</summary>
    /// <param name="channel"><c>null</c>: of all channels.</param>
    public List<Subscription> TakeNewLocked(string? channel = null)
        => TakeLocked(item => item.State == SubscriptionState.New && (channel is null || item.Channel == channel));

    public List<Subscription> TakeAllLocked() => TakeLocked(_ => true);

    public bool HasSubscriptionsLocked(string channel)
    {
        AssertHeld();
        return _channels.TryGetValue(channel, out var found) && found.Subscriptions.Count > 0;
    }

    private static void Enliven(Subscription subscription)
    {
        if (subscription.State != SubscriptionState.Live)
        {
            subscription.State = SubscriptionState.Live;
            subscription.PostGap();
        }
    }

    private List<Subscription> TakeLocked(Func<Subscription, bool> which)
    {
        AssertHeld();
        var taken = _channels.Values.SelectMany(channel => channel.Subscriptions).Where(which).ToList();
        taken.ForEach(subscription => RemoveLocked(subscription));
        return taken;
    }

    private void Forget()
    {
        foreach (var name in _channels.Values.Where(channel => channel.Subscriptions.Count == 0).Select(channel => channel.Name).ToList())
        {
            _channels.Remove(name);
        }
    }

    private void AssertHeld() => Debug.Assert(gate.IsHeldByCurrentThread);
}
