namespace EfPooling.AdoNet.Sql;

/// <summary>What a text is as a whole. Several may hold at once.</summary>
[Flags]
internal enum ShapeFlags
{
    None = 0,

    /// <summary>Something in it was not understood, or is no statement that can be proven: it may do anything.</summary>
    Opaque = 1,

    /// <summary>One query that by its own words changes nothing and locks nothing.</summary>
    Query = 2,

    /// <summary>Changes data somewhere, so that what its tables set off when they are written counts.</summary>
    Writes = 4,

    /// <summary>Changes settings until its transaction ends.</summary>
    SetsLocally = 8,

    /// <summary>Would see that it shares a transaction with others.</summary>
    SeesSharing = 16,
}
