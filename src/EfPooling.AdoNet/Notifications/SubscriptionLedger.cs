using System.Diagnostics;

namespace EfPooling.AdoNet;

/// <summary>
/// The subscriptions by channel. Pure: no clock, no I/O, no await. Every member requires the gate. Contrary to the rule, posting
/// to subscriptions also happens under it: posting only queues, and so nothing of a replaced connection follows the gap of the
/// next one.
/// </summary>
internal sealed class SubscriptionLedger(Lock gate)
{
    private readonly Dictionary<string, SubscribedChannel> _channels = new(StringComparer.Ordinal); // guarded by gate

    /// <summary>Number of subscriptions.</summary>
    public int Count { get; private set; } // guarded by gate

    /// <returns>Whether the channel requires a LISTEN first. If not, the subscription is live and has its gap.</returns>
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
            return false; // This class has ended it.
        }

        Count--;
        return channel.Subscriptions.Count == 0;
    }

    /// <summary>Also forgets channels without subscriptions. A new subscriber needs the next LISTEN.</summary>
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
    /// LISTEN was committed. Every subscription of these channels gets a gap. A subscriber that loads its state after the gap
    /// sees everything committed before the LISTEN, and is notified of everything committed after it.
    /// </summary>
    public void ListeningLocked(IEnumerable<string> channels)
    {
        AssertHeld();
        foreach (var name in channels)
        {
            var channel = _channels[name]; // Even if all subscribers have left meanwhile: then the next changes end it.
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
                // A subscription that is not live gets its gap later.
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

    /// <summary>Whether there is a new subscription since the last attempt to listen.</summary>
    public bool HasNewLocked()
    {
        AssertHeld();
        return _channels.Values.Any(channel => channel.Subscriptions.Exists(item => item.State == SubscriptionState.New));
    }

    /// <summary>Removes the subscriptions that have never been live.</summary>
    /// <param name="channel"><c>null</c>: those of all channels.</param>
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
