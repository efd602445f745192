namespace EfPooling.Dev.Local;

/// <summary>Reads the log of a server.</summary>
internal static class ServerLog
{
    private const int TailLines = 30;

    /// <summary>The last lines; empty if there is no log.</summary>
    public static string Tail(string path)
    {
        try
        {
            // The server keeps the file open for writing.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream);
            var lines = reader.ReadToEnd().TrimEnd().Split('\n');
            return string.Join('\n', lines.TakeLast(TailLines));
        }
        catch (IOException)
        {
            return "";
        }
    }
}
