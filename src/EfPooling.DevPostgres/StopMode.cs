namespace EfPooling.Dev;

/// <summary>How a server is stopped (PostgreSQL manual, "Shutting Down the Server").</summary>
public enum StopMode
{
    /// <summary>Sessions are told and ended, transactions roll back, the data is written.</summary>
    Fast,

    /// <summary>Everything ends at once, as in a crash; the next start recovers.</summary>
    Immediate,
}
