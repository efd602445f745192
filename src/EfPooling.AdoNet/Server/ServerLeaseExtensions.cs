using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>The end of a lease of a PostgreSQL connection: the next owner gets it only if it is healthy and clean.</summary>
internal static class ServerLeaseExtensions
{
    public static void End(this Lease<ServerConnection> lease)
    {
        var isFit = false;
        try
        {
            lease.Connection.OnLeaseEnding();
            isFit = lease.Connection.TryRecover();
        }
        finally
        {
            Finish(lease, isFit);
        }
    }

    public static ValueTask EndAsync(this Lease<ServerConnection> lease)
    {
        try
        {
            lease.Connection.OnLeaseEnding();
        }
        catch
        {
            Finish(lease, isFit: false);
            throw;
        }

        if (!lease.Connection.NeedsRecovery)
        {
            Finish(lease, lease.Connection.IsReady);
            return ValueTask.CompletedTask;
        }

        return RecoverAsync(lease);
    }

    private static async ValueTask RecoverAsync(Lease<ServerConnection> lease)
    {
        var isFit = false;
        try
        {
            isFit = await lease.Connection.TryRecoverAsync().ConfigureAwait(false);
        }
        finally
        {
            Finish(lease, isFit);
        }
    }

    private static void Finish(Lease<ServerConnection> lease, bool isFit)
    {
        if (isFit)
        {
            lease.Release(lease.Connection.Settings.Affinity);
        }
        else
        {
            lease.Retire(lease.Connection.IsBroken ? RetireReason.Broken : RetireReason.ResetFailed);
        }
    }
}
