namespace EfPooling.Core.Tests.Stress;

/// <summary>Notices if two use it at once, or anybody after it was closed.</summary>
internal sealed class StressConnection
{
    private int _users;
    private int _timesClosed;

    public int TimesClosed => Volatile.Read(ref _timesClosed);

    public void BeginUse()
    {
        Assert.Equal(1, Interlocked.Increment(ref _users));
        Assert.Equal(0, TimesClosed);
    }

    public void EndUse()
    {
        Assert.Equal(0, TimesClosed);
        Assert.Equal(0, Interlocked.Decrement(ref _users));
    }

    public void Close()
    {
        Interlocked.Increment(ref _timesClosed);
        Assert.Equal(0, Volatile.Read(ref _users));
    }
}
