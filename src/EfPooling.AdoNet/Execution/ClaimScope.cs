using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>A claim on a connection, given up when disposed.</summary>
internal readonly struct ClaimScope(ConnectionClaim claim, ILeaseHolder operation) : IDisposable
{
    public void Dispose() => claim.GiveUp(operation);
}
