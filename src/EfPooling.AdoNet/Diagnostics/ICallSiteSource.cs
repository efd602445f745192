namespace EfPooling.AdoNet;

/// <summary>
/// An object that starts operations: what helps to name their call sites. Read only when two operations meet, from any thread.
/// </summary>
internal interface ICallSiteSource
{
    /// <summary>The SQL, or <c>null</c>.</summary>
    string? Text { get; }

    /// <summary>Where the source itself was created; <c>null</c> if unknown.</summary>
    string? Origin { get; }
}
