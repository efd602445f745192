namespace EfPooling.AdoNet;

/// <summary>What happens to a statement that needs a PostgreSQL session of its own.</summary>
public enum SessionStatePolicy
{
    /// <summary>It throws <see cref="SessionStateException"/> and nothing is sent.</summary>
    Throw,

    /// <summary>From then on, the connection keeps its server connection until it is closed. Logged and counted.</summary>
    Pin,
}
