namespace EfPooling.AdoNet;

/// <summary>How a server fits the <c>Target Session Attributes</c> of a connection string with several hosts.</summary>
internal enum HostFit
{
    /// <summary>Npgsql would not connect to it.</summary>
    Wrong,

    /// <summary>Npgsql connects to it only while no server is <see cref="Right"/>.</summary>
    Second,

    Right,
}
