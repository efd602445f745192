using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>What the failure of an open says about the user's password provider, connection initializer and their kin, of which each has two forms.</summary>
internal static class AsynchronousCallbacks
{
    /// <summary>
    /// Whether the asynchronous forms are worth a try: something else has failed than the connection or the server. Npgsql's manual recommends synchronous forms
    /// that throw, and does not say what.
    /// </summary>
    public static bool MayBeWanted(Exception failure)
    {
        var causes = Causes(failure).ToList();
        return causes.Exists(cause => cause is not (NpgsqlException or AggregateException))
            && !causes.Exists(cause => cause is PostgresException or IOException or SocketException or TimeoutException or OperationCanceledException or AuthenticationException or ObjectDisposedException);
    }

    /// <summary>Whether it is the asynchronous form that is not there.</summary>
    public static bool AreMissing(Exception failure) => Causes(failure).Any(cause => cause is NotSupportedException or NotImplementedException);

    private static IEnumerable<Exception> Causes(Exception failure)
        => failure is AggregateException { InnerExceptions: var inner }
            ? inner.SelectMany(Causes).Prepend(failure)
            : failure.InnerException is { } cause ? Causes(cause).Prepend(failure) : [failure];
}
