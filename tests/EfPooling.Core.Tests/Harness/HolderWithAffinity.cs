namespace EfPooling.Core.Tests.Harness;

internal sealed class HolderWithAffinity(object? affinity) : ILeaseHolder
{
    public LeaseScope Scope => LeaseScope.Command;

    public string? Activity => null;

    public object? Affinity => affinity;
}
