using System.Diagnostics;

namespace EfPooling.Dev.Local;

/// <summary>
/// A server on Windows, run by <c>pg_ctl</c>, which knows how to give up administrator rights. Unlike on Unix, a killed
/// owner leaves server and directory behind.
/// </summary>
internal sealed class PgCtlHost : IServerHost
{
    private readonly ServerBinaries _binaries;
    private readonly DevPostgresOptions _options;

    private PgCtlHost(ServerBinaries binaries, DevPostgresOptions options, string directory)
    {
        _binaries = binaries;
        _options = options;
        DirectoryPath = directory;
    }

    public string DirectoryPath { get; }

    private string DataPath => Path.Combine(DirectoryPath, "data");

    private string LogPath => Path.Combine(DirectoryPath, "log");

    private bool Runs => File.Exists(Path.Combine(DataPath, "postmaster.pid"));

    public static PgCtlHost Create(ServerBinaries binaries, DevPostgresOptions options) =>
        new(binaries, options, Directory.CreateTempSubdirectory("efpooling-postgres.").FullName);

    public async Task InitializeAsync(string password, CancellationToken cancellationToken)
    {
        var passwordFile = Path.Combine(DirectoryPath, "password");
        await File.WriteAllTextAsync(passwordFile, password + "\n", cancellationToken).ConfigureAwait(false);
        var result = await Tool.RunAsync(
            Path.Combine(_binaries.Directory, "initdb"),
            [
                "-D", DataPath, "-U", "postgres", "--auth=scram-sha-256", "--pwfile=" + passwordFile,
                "--encoding=UTF8", "--locale=C", "--no-sync",
            ],
            DirectoryPath,
            cancellationToken).ConfigureAwait(false);
        File.Delete(passwordFile);
        if (result.ExitCode != 0)
        {
            throw new ServerStartException("initdb failed.", (result.Output + result.Error).TrimEnd());
        }

        // pg_ctl takes server arguments as one string with quoting rules of its own; a file has simple ones.
        await File.AppendAllLinesAsync(
            Path.Combine(DataPath, "postgresql.conf"),
            ServerSettings.For(_options).Select(setting => $"{setting.Key} = '{setting.Value.Replace("'", "''", StringComparison.Ordinal)}'"),
            cancellationToken).ConfigureAwait(false);
    }

    public async Task StartAsync(int port, CancellationToken cancellationToken)
    {
        if (Runs)
        {
            throw new InvalidOperationException("The server runs already. Stop it before you start it.");
        }

        File.Delete(LogPath);
        var seconds = (int)Math.Ceiling(_options.StartTimeout.TotalSeconds);
        var status = await PgCtlAsync(
            ["start", "-w", "-t", $"{seconds}", "-l", LogPath, "-o", $"-p {port}"], cancellationToken).ConfigureAwait(false);
        if (status != 0)
        {
            throw new ServerStartException("pg_ctl could not start the server.", ServerLog.Tail(LogPath));
        }
    }

    public async Task StopAsync(StopMode mode, CancellationToken cancellationToken)
    {
        if (Runs)
        {
            await PgCtlAsync(["stop", "-w", "-m", mode == StopMode.Fast ? "fast" : "immediate"], cancellationToken)
                .ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(StopMode.Immediate, CancellationToken.None).ConfigureAwait(false);
        Directory.Delete(DirectoryPath, recursive: true);
    }

    private async Task<int> PgCtlAsync(string[] arguments, CancellationToken cancellationToken)
    {
        // Nothing is redirected: the server would inherit the pipes and keep them open for as long as it runs.
        using var process = Process.Start(new ProcessStartInfo(
            Path.Combine(_binaries.Directory, "pg_ctl"), ["--silent", "-D", DataPath, .. arguments]))!;
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return process.ExitCode;
    }
}
