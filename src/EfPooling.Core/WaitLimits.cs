namespace EfPooling.Core;

/// <summary>What can end a wait besides a slot: the caller's token and QueryWaitTimeout. Also entitles the waiter to the reserve.</summary>
internal sealed class WaitLimits<T> : IDisposable
    where T : class
{
    private readonly WaitingRoom<T> _room;
    private readonly Waiter<T> _waiter;
    private readonly ITimer? _timeout;
    private readonly ITimer? _reserve;
    private readonly CancellationTokenRegistration _cancellation;

    public WaitLimits(WaitingRoom<T> room, Waiter<T> waiter, TimeSpan? remaining, TimeSpan? untilReserve, TimeProvider time, CancellationToken cancellationToken)
    {
        _room = room;
        _waiter = waiter;
        _timeout = remaining is { } limit
            ? time.CreateTimer(static self => ((WaitLimits<T>)self!).GiveUp(), this, limit, Timeout.InfiniteTimeSpan)
            : null;
        _reserve = untilReserve is { } delay
            ? time.CreateTimer(static self => ((WaitLimits<T>)self!).Entitle(), this, delay, Timeout.InfiniteTimeSpan)
            : null;
        _cancellation = cancellationToken.UnsafeRegister(static (self, token) => ((WaitLimits<T>)self!).Cancel(token), this);
    }

    public void Dispose()
    {
        _timeout?.Dispose();
        _reserve?.Dispose();
        _cancellation.Dispose();
    }

    private void GiveUp() => _room.GiveUp(_waiter);

    private void Entitle() => _room.EntitleToReserve(_waiter);

    private void Cancel(CancellationToken token) => _room.Cancel(_waiter, token);
}
