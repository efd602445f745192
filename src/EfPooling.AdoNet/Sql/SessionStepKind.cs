namespace EfPooling.AdoNet.Sql;

/// <summary>What is done to a thing of the session.</summary>
internal enum SessionStepKind
{
    /// <summary>From now on the session has it.</summary>
    Make,

    /// <summary>It must be there.</summary>
    Use,

    /// <summary>It must be there, and is gone.</summary>
    End,

    /// <summary>It is gone if it was there.</summary>
    EndIfThere,

    /// <summary>All of its sort are gone.</summary>
    EndAll,

    /// <summary>The transaction is gone, and what was made in it may be undone.</summary>
    RollBack,
}
