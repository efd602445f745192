using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>Decides what to try after a failed open.</summary>
internal static class OpenFailure
{
    /// <summary>
    /// Whether the connection was cut while the session was being set up, which another attempt may survive. A refusal, a
    /// time-out and an error of the server are answers, so they do not count.
    /// </summary>
    public static bool IsCutConnection(Exception failure)
    {
        var causes = Causes(failure).ToList();
        return failure is NpgsqlException or ObjectDisposedException // Npgsql's own; what a callback throws is not wrapped.
            && causes.Exists(cause => cause is EndOfStreamException or ObjectDisposedException or SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted })
            && !causes.Exists(cause => cause is PostgresException or TimeoutException or OperationCanceledException or AuthenticationException);
    }

    /// <summary>
    /// Whether to try the asynchronous forms of the user's callbacks (password provider, connection initializer and the like):
    /// neither the connection nor the server has failed. Npgsql's manual recommends synchronous forms that throw, but does not
    /// name the exception.
    /// </summary>
    public static bool MayWantAsynchronousCallbacks(Exception failure)
    {
        var causes = Causes(failure).ToList();
        return causes.Exists(cause => cause is not (NpgsqlException or AggregateException))
            && !causes.Exists(cause => cause is PostgresException or IOException or SocketException or TimeoutException or OperationCanceledException or AuthenticationException or ObjectDisposedException);
    }

    /// <summary>Whether the asynchronous form of a callback is missing.</summary>
    public static bool LacksAsynchronousCallbacks(Exception failure) => Causes(failure).Any(cause => cause is NotSupportedException or NotImplementedException);

    private static IEnumerable<Exception> Causes(Exception failure)
        => failure is AggregateException { InnerExceptions: var inner }
            ? inner.SelectMany(Causes).Prepend(failure)
            : failure.InnerException is { } cause ? Causes(cause).Prepend(failure) : [failure];
}
