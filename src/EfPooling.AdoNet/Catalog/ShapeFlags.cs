namespace EfPooling.AdoNet.Sql;

/// <summary>What a text is as a whole. Several flags may hold at once.</summary>
[Flags]
internal enum ShapeFlags
{
    None = 0,

    /// <summary>A part of it was not understood, or cannot be proven: it may do anything.</summary>
    Opaque = 1,

    /// <summary>One query that by its own words changes nothing and locks nothing.</summary>
    Query = 2,

    /// <summary>Changes data somewhere, so the effects of writing to its tables count.</summary>
    Writes = 4,

    /// <summary>Changes settings until its transaction ends.</summary>
    SetsLocally = 8,

    /// <summary>Would notice that it shares a transaction with others.</summary>
    SeesSharing = 16,
}
