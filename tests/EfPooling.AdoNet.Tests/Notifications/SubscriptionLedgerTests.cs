using System.Runtime.ExceptionServices;

namespace EfPooling.AdoNet.Tests;

/// <summary>Who is told what and when, without a server.</summary>
public sealed class SubscriptionLedgerTests
{
    private readonly Lock _gate = new();
    private readonly SubscriptionLedger _ledger;

    public SubscriptionLedgerTests() => _ledger = new SubscriptionLedger(_gate);

    [Fact]
    public void NotificationBeforeTheListenIsKnownToBeCommitted_IsLeftToTheGap()
    {
        using var gate = _gate.EnterScope();
        var subscription = Add("orders");
        Assert.Equal(["orders"], _ledger.TakeChangesLocked().Listen);

        Dispatch("orders", "early");
        _ledger.ListeningLocked(["orders"]);
        Dispatch("orders", "1");

        Assert.Equal(["gap", "1"], Read(subscription));
    }

    [Fact]
    public void LateSubscription_IsLiveAtOnce_WithItsGap()
    {
        using var gate = _gate.EnterScope();
        Listen(Add("orders"));
        Dispatch("orders", "1");
        var late = new Subscription("orders", 10);

        Assert.False(_ledger.AddLocked(late));
        Dispatch("orders", "2");

        Assert.Equal(["gap", "2"], Read(late));
    }

    [Fact]
    public void ChannelWithoutSubscriptions_IsUnlistened_AndListenedToAgainForWhoComesMeanwhile()
    {
        using var gate = _gate.EnterScope();
        var first = Add("orders");
        Listen(first);

        Assert.True(_ledger.RemoveLocked(first));
        Assert.Equal(["orders"], _ledger.TakeChangesLocked().Unlisten);
        var second = Add("orders");
        Dispatch("orders", "from before the UNLISTEN");

        Assert.Equal(["orders"], _ledger.TakeChangesLocked().Listen);
        _ledger.ListeningLocked(["orders"]);
        Assert.Equal(["gap"], Read(second));
    }

    [Fact]
    public void ChannelWhoseSubscriberLeftDuringItsListen_IsUnlistenedNext()
    {
        using var gate = _gate.EnterScope();
        var subscription = Add("orders");
        _ledger.TakeChangesLocked();
        _ledger.RemoveLocked(subscription);
        _ledger.ListeningLocked(["orders"]);

        Assert.Equal(["orders"], _ledger.TakeChangesLocked().Unlisten);
        Assert.True(_ledger.TakeChangesLocked().AreNone);
    }

    [Fact]
    public void LostConnection_DeliversNothing_AndTheNextOneBeginsWithAGap()
    {
        using var gate = _gate.EnterScope();
        var subscription = Add("orders");
        Listen(subscription);
        Dispatch("orders", "1");
        _ledger.LostLocked();
        Dispatch("orders", "late");

        Assert.Empty(_ledger.TakeNewLocked());
        Assert.Equal(["orders"], _ledger.TakeChangesLocked().Listen);
        _ledger.ListeningLocked(["orders"]);
        Dispatch("orders", "2");

        Assert.Equal(["gap", "1", "gap", "2"], Read(subscription));
    }

    [Fact]
    public void OnlyNewSubscriptions_AreRefused()
    {
        using var gate = _gate.EnterScope();
        Listen(Add("orders"));
        var newcomer = Add("products");
        var elsewhere = Add("customers");

        Assert.Equal([newcomer], _ledger.TakeNewLocked("products"));
        Assert.Equal([elsewhere], _ledger.TakeNewLocked());
        Assert.Equal(1, _ledger.Count);
    }

    [Fact]
    public void GapsWithNothingBetweenThem_AreOne()
    {
        using var gate = _gate.EnterScope();
        var subscription = Add("orders");
        Listen(subscription);
        _ledger.LostLocked();
        Listen(subscription);

        Assert.Equal(["gap"], Read(subscription));
    }

    [Fact]
    public void Overflow_LeavesAGap_AndCountsWhoFellBehind()
    {
        using var gate = _gate.EnterScope();
        var slow = new Subscription("orders", 2);
        _ledger.AddLocked(slow);
        Listen(slow);

        Assert.Equal([0, 1, 0, 1], new[] { "1", "2", "3", "4" }.Select(payload => Dispatch("orders", payload)));
        Assert.Equal(["gap"], Read(slow));
    }

    [Fact]
    public async Task EndedSubscription_ThrowsInsteadOfWhatWasQueued()
    {
        var ended = new Subscription("orders", 10);
        ended.Post(new ChannelNotification("orders", "1", 1));
        ended.End(ExceptionDispatchInfo.Capture(new InvalidDataException("first")));
        ended.End(ExceptionDispatchInfo.Capture(new InvalidDataException("second")));

        var error = await Assert.ThrowsAsync<InvalidDataException>(async () => await ended.ReadAsync(CancellationToken.None));
        Assert.Equal("first", error.Message);
    }

    private Subscription Add(string channel)
    {
        var subscription = new Subscription(channel, 10);
        Assert.True(_ledger.AddLocked(subscription));
        return subscription;
    }

    private void Listen(Subscription subscription)
    {
        Assert.Equal([subscription.Channel], _ledger.TakeChangesLocked().Listen);
        _ledger.ListeningLocked([subscription.Channel]);
    }

    private int Dispatch(string channel, string payload) => _ledger.DispatchLocked(new ChannelNotification(channel, payload, 1));

    private static IEnumerable<string> Read(Subscription subscription)
    {
        while (subscription.ReadAsync(CancellationToken.None).AsTask() is { IsCompletedSuccessfully: true } read)
        {
            yield return read.Result.IsGap ? "gap" : read.Result.Payload;
        }
    }
}
