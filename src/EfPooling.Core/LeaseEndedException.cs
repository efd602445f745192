namespace EfPooling.Core;

/// <summary>A server connection was used, released or retired through a lease that had already ended (or was never granted).</summary>
public sealed class LeaseEndedException()
    : InvalidOperationException("The lease of this server connection has ended. It may already serve somebody else; acquire a new lease.");
