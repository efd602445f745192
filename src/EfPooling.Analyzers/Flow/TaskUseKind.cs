namespace EfPooling.Analyzers.Flow;

/// <summary>What becomes of the task that a call returns.</summary>
internal enum TaskUseKind
{
    /// <summary>Returned, passed on, stored in a field, …</summary>
    Other,

    /// <summary>Awaited on the spot.</summary>
    Awaited,

    /// <summary>Waited for on the spot without await.</summary>
    Blocked,

    /// <summary>The call is a statement by itself.</summary>
    Statement,

    /// <summary>Assigned to <c>_</c>.</summary>
    Discarded,

    /// <summary>The initial value of a local, or assigned to one.</summary>
    Local,

    /// <summary>Put into a collection that a local holds.</summary>
    Collected,
}
