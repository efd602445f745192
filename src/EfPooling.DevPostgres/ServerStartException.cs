namespace EfPooling.Dev;

/// <summary>A PostgreSQL server was found but could not be initialized or started.</summary>
public sealed class ServerStartException : Exception
{
    internal ServerStartException(string whatFailed, string logTail)
        : base(logTail.Length == 0 ? $"{whatFailed} The server logged nothing." : $"{whatFailed} The log ends with:\n{logTail}") =>
        LogTail = logTail;

    /// <summary>The last lines of the server's log; empty if it wrote none.</summary>
    public string LogTail { get; }

    /// <summary>True if another process holds the port, so that another port may do.</summary>
    internal bool PortIsTaken => LogTail.Contains("could not bind", StringComparison.Ordinal);
}
