namespace EfPooling.AdoNet.Sql;

/// <summary>What the use of an object of the database may cause.</summary>
[Flags]
internal enum CatalogFlags
{
    None = 0,

    /// <summary>It is not proven to leave the session unchanged.</summary>
    Suspect = 1,

    /// <summary>It may change data, or give another answer when it runs again or shares a transaction.</summary>
    Volatile = 2,

    /// <summary>It may advance a sequence, which <c>lastval</c> and <c>currval</c> of the session remember.</summary>
    Advances = 4,

    /// <summary>It is not proven to leave the data of the database unchanged.</summary>
    Writes = 8,
}
