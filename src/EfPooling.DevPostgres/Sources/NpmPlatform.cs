using System.Runtime.InteropServices;

namespace EfPooling.Dev.Sources;

/// <summary>What the npm packages call this platform.</summary>
internal static class NpmPlatform
{
    /// <summary>For example <c>linux-x64</c>, <c>darwin-arm64</c>, <c>windows-x64</c>.</summary>
    public static string Name { get; } =
        (OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux")
        + "-"
        + (RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "x64");
}
