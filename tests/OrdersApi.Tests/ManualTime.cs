using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace OrdersApi.Tests;

/// <summary>Time that stands still until the test advances it, and that tells when timers have been started. Thread-safe.</summary>
internal sealed class ManualTime : FakeTimeProvider
{
    private readonly Channel<ITimer> _started = Channel.CreateUnbounded<ITimer>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
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
}
