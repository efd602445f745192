namespace EfPooling.Core.Tests.Harness;

internal sealed class Holder(string? activity, LeaseScope scope = LeaseScope.Transaction) : ILeaseHolder
{
    public LeaseScope Scope { get; } = scope;

    public string? Activity { get; } = activity;
}
