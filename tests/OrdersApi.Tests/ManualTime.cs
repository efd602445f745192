using System.Collections.Concurrent;
using System.Threading.Channels;

namespace OrdersApi.Tests;

/// <summary>Time whose timers fire when the test says so. Thread-safe.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Channel<ManualTimer> _started = Channel.CreateUnbounded<ManualTimer>();
    private readonly ConcurrentBag<ManualTimer> _waiting = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(callback, state);
        _waiting.Add(timer);
        _started.Writer.TryWrite(timer);
        return timer;
    }

    /// <summary>Returns when so many more timers have been started.</summary>
    public async Task WaitForTimersAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await _started.Reader.ReadAsync();
        }
    }

    /// <summary>Lets every timer fire that was started so far.</summary>
    public void Fire()
    {
        while (_waiting.TryTake(out var timer))
        {
            timer.Fire();
        }
    }

    private sealed class ManualTimer(TimerCallback callback, object? state) : ITimer
    {
        private TimerCallback? _callback = callback; // Interlocked only

        public void Fire() => Interlocked.Exchange(ref _callback, null)?.Invoke(state);

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() => Interlocked.Exchange(ref _callback, null);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
