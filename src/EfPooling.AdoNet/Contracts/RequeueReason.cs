namespace EfPooling.AdoNet;

/// <summary>Why a batched read left its read batch before its result was read, to run again elsewhere.</summary>
public enum RequeueReason
{
    /// <summary>
    /// Its statement failed, or the connection of its batch did. It runs again on a server connection of its own, so only its
    /// caller sees the failure.
    /// </summary>
    Failed,

    /// <summary>A read ahead of it failed, was cancelled or timed out, which ended the batch.</summary>
    BatchEnded,

    /// <summary>A read ahead of it in the batch took too long.</summary>
    Stalled,
}
