namespace EfPooling.AdoNet;

/// <summary>Whoever starts operations, as far as that helps to name their call sites. Read only when two operations meet, from any thread.</summary>
internal interface ICallSiteSource
{
    /// <summary>The SQL, or <c>null</c>.</summary>
    string? Text { get; }

    /// <summary>Where the source itself was made; <c>null</c> if that is not known.</summary>
    string? Origin { get; }
}
