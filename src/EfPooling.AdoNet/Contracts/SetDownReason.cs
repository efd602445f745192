namespace EfPooling.AdoNet;

/// <summary>Why a passenger had to leave its train before its turn, to run again elsewhere.</summary>
public enum SetDownReason
{
    /// <summary>Its own statement failed, or the train's connection did; it runs alone, to fail alone if it must.</summary>
    Failed,

    /// <summary>A passenger before it failed, was cancelled or timed out, which ended the train.</summary>
    TrainEnded,

    /// <summary>A passenger before it took too long.</summary>
    Stalled,
}
