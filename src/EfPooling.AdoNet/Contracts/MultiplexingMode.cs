namespace EfPooling.AdoNet;

/// <summary>Whether reads of several callers may share a server connection and a round trip.</summary>
public enum MultiplexingMode
{
    /// <summary>
    /// Asynchronous pure reads outside transactions share round trips while no server connection is free. Each caller gets the
    /// result that it would have got alone.
    /// </summary>
    Auto,

    /// <summary>Every command has a server connection to itself while it runs.</summary>
    Off,
}
