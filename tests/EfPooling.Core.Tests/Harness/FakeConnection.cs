namespace EfPooling.Core.Tests.Harness;

/// <summary>A server connection without a server.</summary>
internal sealed class FakeConnection(int id)
{
    private int _timesClosed;

    public int Id { get; } = id;

    /// <summary>What the liveness check answers.</summary>
    public bool IsAlive { get; set; } = true;

    public int TimesClosed => Volatile.Read(ref _timesClosed);

    public void Close() => Interlocked.Increment(ref _timesClosed);

    public override string ToString() => $"connection {Id}";
}
