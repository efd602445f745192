namespace EfPooling.Analyzers;

/// <summary>The ids of all rules. An id is never given to another rule.</summary>
internal static class DiagnosticIds
{
    public const string SessionSetting = "EFP0001";
    public const string OverlappingOperations = "EFP0002";
    public const string SessionLock = "EFP0003";
    public const string SessionFeature = "EFP0004";
    public const string TemporaryObject = "EFP0005";
    public const string TransactionText = "EFP0006";
    public const string CapturedByParallelCode = "EFP0007";
    public const string DiscardedTask = "EFP0008";
    public const string SlowWaitInTransaction = "EFP0009";
    public const string IncompleteTransaction = "EFP0010";
    public const string CommandDuringReader = "EFP0011";
    public const string LongLivedHolder = "EFP0012";
    public const string LocalWithoutTransaction = "EFP0013";
    public const string ExplicitlyOpenedConnection = "EFP0014";
    public const string Downcast = "EFP0015";
    public const string ConnectionBesidePool = "EFP0016";
    public const string ConflictingOptions = "EFP0017";
    public const string EscapingStream = "EFP0018";
}
