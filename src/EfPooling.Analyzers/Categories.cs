namespace EfPooling.Analyzers;

/// <summary>Categories, for <c>dotnet_analyzer_diagnostic.category-EfPooling.SessionState.severity</c> and the like.</summary>
internal static class Categories
{
    public const string SessionState = "EfPooling.SessionState";
    public const string Concurrency = "EfPooling.Concurrency";
    public const string HoldTime = "EfPooling.HoldTime";
    public const string Lifetime = "EfPooling.Lifetime";
    public const string Configuration = "EfPooling.Configuration";
}
