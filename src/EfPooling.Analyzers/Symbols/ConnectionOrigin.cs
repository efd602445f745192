namespace EfPooling.Analyzers.Symbols;

/// <summary>Where the connection behind an operation comes from, as far as the code shows it.</summary>
internal enum ConnectionOrigin
{
    /// <summary>Nothing tells that it is not shared.</summary>
    Shared,

    /// <summary>A logical connection of a pool of ours, opened by this very code: settings follow it, but it has no session.</summary>
    OpenedFromPool,

    /// <summary>A physical connection that this code owns: made with <c>new</c>, taken from Npgsql's data source, or leased as a session.</summary>
    Dedicated,

    /// <summary>Handed out by code that does not say where it comes from: a factory, a method, a property of another object.</summary>
    Unknown,

    /// <summary>Of another provider, or a wrapper of a third party.</summary>
    OtherProvider,
}
