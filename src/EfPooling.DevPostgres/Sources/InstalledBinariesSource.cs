using EfPooling.Dev.Local;

namespace EfPooling.Dev.Sources;

/// <summary>Way 2: the server binaries that are installed on this machine.</summary>
/// <param name="directories">Directories to look in, best first.</param>
internal sealed class InstalledBinariesSource(IEnumerable<string> directories) : IServerSource
{
    public string Name => "PostgreSQL server binaries (postgres and initdb) installed on this machine";

    public async Task<SourceAnswer> TryStartAsync(DevPostgresOptions options, CancellationToken cancellationToken)
    {
        var passedOver = new List<string>();
        foreach (var directory in directories)
        {
            var binaries = await ServerBinaries.TryReadAsync(directory, cancellationToken).ConfigureAwait(false);
            if (binaries is null)
            {
                continue;
            }

            if (options.MajorVersion is null || options.MajorVersion == binaries.MajorVersion)
            {
                return await LocalServer.TryStartAsync(binaries, options, cancellationToken).ConfigureAwait(false);
            }

            passedOver.Add($"{directory} (version {binaries.MajorVersion})");
        }

        return SourceAnswer.NotHere(passedOver.Count == 0
            ? "neither on PATH nor in the usual places; install your distribution's postgresql package"
            : "only of other versions: " + string.Join(", ", passedOver));
    }
}
