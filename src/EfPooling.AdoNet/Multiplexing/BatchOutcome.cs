namespace EfPooling.AdoNet;

/// <summary>The outcome of a batched read's wait.</summary>
internal enum BatchOutcome
{
    /// <summary>The batch's reader stands at its result.</summary>
    ResultSlot,

    /// <summary>
    /// No leader is left whose batch could take it. It counts as a leader, acquires a server connection and takes followers
    /// along.
    /// </summary>
    Lead,

    /// <summary>It was requeued through no fault of its own, and becomes a leader.</summary>
    LeadNext,

    /// <summary>It may be at fault: it acquires a server connection and takes no followers along.</summary>
    RunSolo,
}
