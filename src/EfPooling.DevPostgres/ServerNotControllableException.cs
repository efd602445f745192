namespace EfPooling.Dev;

/// <summary>A server that runs for others too was asked to stop or to start.</summary>
public sealed class ServerNotControllableException : InvalidOperationException
{
    internal ServerNotControllableException()
        : base("The server comes from EFPOOLING_POSTGRES, which is used but never stopped or started. Ask "
            + "DevPostgresServer.CanControl first, or unset EFPOOLING_POSTGRES to get a server of your own.")
    {
    }
}
