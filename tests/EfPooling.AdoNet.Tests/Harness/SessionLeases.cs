namespace EfPooling.AdoNet.Tests;

internal static class SessionLeases
{
    /// <summary>Ends the lease in one of the two ways.</summary>
    public static ValueTask EndAsync(this SessionLease session, bool asynchronous)
    {
        if (asynchronous)
        {
            return session.DisposeAsync();
        }

        session.Dispose();
        return ValueTask.CompletedTask;
    }
}
