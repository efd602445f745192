namespace EfPooling.AdoNet.Sql;

/// <summary>What is done to a thing of the session.</summary>
internal enum SessionStepKind
{
    /// <summary>From now on the session has it.</summary>
    Make,

    /// <summary>It must exist.</summary>
    Use,

    /// <summary>It must exist, and is gone.</summary>
    End,

    /// <summary>It is gone if it existed.</summary>
    EndIfThere,

    /// <summary>All of its kind are gone.</summary>
    EndAll,

    /// <summary>The transaction is gone, and things made in it may be undone.</summary>
    RollBack,
}
