namespace EfPooling.Benchmarks.Load;

/// <summary>How this program starts itself again.</summary>
internal static class SelfCommand
{
    private static readonly string Process = Environment.ProcessPath ?? throw new PlatformNotSupportedException("The path of this program is not known.");

    private static readonly bool IsHost = Path.GetFileNameWithoutExtension(Process) == "dotnet";

    public static string Program => Process;

    /// <summary>What comes before the verb.</summary>
    public static IReadOnlyList<string> Arguments => IsHost ? [typeof(SelfCommand).Assembly.Location] : [];
}
