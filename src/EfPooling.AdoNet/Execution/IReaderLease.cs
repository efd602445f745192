namespace EfPooling.AdoNet;

/// <summary>The lease under an open reader, as the reader sees it.</summary>
internal interface IReaderLease
{
    /// <summary>It shares the reader with others, and has its result slot now; <c>null</c> if the reader is its own.</summary>
    BatchedRead? BatchedRead { get; }

    /// <summary>Called with whatever the reader throws.</summary>
    void Observe(Exception error);

    /// <summary>
    /// Asked after <see cref="Observe"/>: the connection broke before the server had answered in full, and the statement may have committed what it wrote. Then the
    /// caller is to learn that, so that nobody runs it again unasked.
    /// </summary>
    bool IsOutcomeUnknown(Exception error);

    /// <summary>Called when a cancel request may have been sent that came too late.</summary>
    void Suspect();

    /// <summary>Asks the server to stop the statement.</summary>
    void Cancel();

    /// <summary>Whose connection it is.</summary>
    ConcurrencyGuard Guard { get; }

    /// <summary>What to throw when two tasks read at the same time.</summary>
    ConcurrentUseException RefuseRead();

    /// <summary>Makes the reader the one that closes with its connection or transaction.</summary>
    void SetReader(IOpenResult reader);

    /// <summary>It has closed.</summary>
    void RemoveReader(IOpenResult reader);

    /// <summary>From now on the lease ends with the command, whose reader was given away.</summary>
    void Detach();

    /// <summary>Ends the lease if the reader was given away.</summary>
    void EndDetached();

    /// <inheritdoc cref="EndDetached"/>
    ValueTask EndDetachedAsync();

    /// <summary>Ends the lease. Idempotent.</summary>
    void End();

    /// <inheritdoc cref="End"/>
    ValueTask EndAsync();
}
