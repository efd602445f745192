using System.Runtime.CompilerServices;

namespace EfPooling.Analyzers.Tests;

/// <summary>Where the sources of this project lie.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    private static string FindRoot([CallerFilePath] string thisFile = "")
        => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", ".."));
}
