using System.ComponentModel;
using System.Text.RegularExpressions;

namespace EfPooling.Dev.Local;

/// <summary>A directory with PostgreSQL's <c>postgres</c> and <c>initdb</c>.</summary>
internal sealed partial record ServerBinaries(string Directory, int MajorVersion)
{
    /// <summary>Asks the binaries in a directory for their version; null if they are missing or do not run.</summary>
    public static async Task<ServerBinaries?> TryReadAsync(string directory, CancellationToken cancellationToken)
    {
        var ending = OperatingSystem.IsWindows() ? ".exe" : "";
        var postgres = Path.Combine(directory, "postgres" + ending);
        if (!File.Exists(postgres) || !File.Exists(Path.Combine(directory, "initdb" + ending)))
        {
            return null;
        }

        try
        {
            var answer = await Tool.RunAsync(postgres, ["--version"], null, cancellationToken).ConfigureAwait(false);
            var version = MajorVersionPattern().Match(answer.Output);
            return version.Success
                ? new ServerBinaries(directory, int.Parse(version.Groups[1].ValueSpan, provider: null))
                : null;
        }
        catch (Win32Exception)
        {
            return null; // for another processor, or not executable
        }
    }

    [GeneratedRegex(@"\(PostgreSQL\) (\d+)")]
    private static partial Regex MajorVersionPattern();
}
