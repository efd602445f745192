using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>An operation without SQL text of its own, for the gate on a connection.</summary>
internal sealed class NamedOperation(LeaseScope scope, string name, OperationKind kind = OperationKind.Session) : ILeaseHolder
{
    public LeaseScope Scope => scope;

    public OperationKind Kind => kind;

    public string Activity => name;
}
