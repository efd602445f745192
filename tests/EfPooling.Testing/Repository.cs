using System.Runtime.CompilerServices;

namespace EfPooling.Testing;

/// <summary>Where the sources of this project lie.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();

    private static string FindRoot([CallerFilePath] string thisFile = "")
        => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", ".."));
}
