using System.Runtime.Versioning;

namespace EfPooling.Dev.Sources;

/// <summary>Lets every user read files and enter directories, whatever the umask: root's server runs as another user.</summary>
[UnsupportedOSPlatform("windows")]
internal static class ReadableFiles
{
    private const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>A directory and all below it. Programs stay executable.</summary>
    public static void AllowAll(DirectoryInfo directory)
    {
        Allow(directory);
        foreach (var entry in directory.EnumerateFileSystemInfos("*", SearchOption.AllDirectories))
        {
            if (entry.LinkTarget is null)
            {
                Allow(entry);
            }
        }
    }

    public static void Allow(FileSystemInfo entry)
    {
        var executable = entry is DirectoryInfo || entry.UnixFileMode.HasFlag(UnixFileMode.UserExecute);
        entry.UnixFileMode |= executable ? Read | Execute : Read;
    }
}
