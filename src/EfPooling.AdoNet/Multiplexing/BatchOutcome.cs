namespace EfPooling.AdoNet;

/// <summary>What a batched read is told at the end of its wait.</summary>
internal enum BatchOutcome
{
    /// <summary>The batch's reader stands at its result.</summary>
    ResultSlot,

    /// <summary>No leader is left whose batch could take it: it counts as a leader, acquires a server connection and takes followers along.</summary>
    Lead,

    /// <summary>It was requeued through no fault of its own: it becomes a leader.</summary>
    LeadNext,

    /// <summary>Something went wrong with it: it acquires a server connection and takes nobody along.</summary>
    RunSolo,
}
