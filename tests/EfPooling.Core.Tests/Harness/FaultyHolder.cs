namespace EfPooling.Core.Tests.Harness;

/// <summary>A holder that breaks when diagnostics ask what it is doing, as a disposed object does.</summary>
internal sealed class FaultyHolder : ILeaseHolder
{
    public LeaseScope Scope => LeaseScope.Reader;

    public string? Activity => throw new ObjectDisposedException("command");
}
