namespace EfPooling.AdoNet;

/// <summary>How two operations met.</summary>
public enum ConcurrentUseKind
{
    /// <summary>Two flows of control use one connection, transaction, reader or context at the same time.</summary>
    ConcurrentOperation,

    /// <summary>The same flow starts a command while a reader that it opened is still open.</summary>
    OpenReader,
}
