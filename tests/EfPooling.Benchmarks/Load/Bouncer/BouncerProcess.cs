using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EfPooling.Dev;
using EfPooling.Dev.Local;
using Npgsql;

namespace EfPooling.Benchmarks.Load.Bouncer;

/// <summary>A PgBouncer of our own in front of a server. It ends with this object, or with this process in whatever way.</summary>
internal sealed class BouncerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private readonly Process _watchdog;

    private BouncerProcess(Process watchdog, BouncerEndpoint endpoint)
    {
        _watchdog = watchdog;
        Endpoint = endpoint;
    }

    public BouncerEndpoint Endpoint { get; }

    /// <summary>Starts it.</summary>
    /// <returns>Null if there is none on this machine, or if it cannot be run without being root.</returns>
    /// <exception cref="InvalidOperationException">It does not start; the message has what it said.</exception>
    public static async Task<BouncerProcess?> TryStartAsync(string serverConnectionString, IReadOnlyList<int> poolSizes)
    {
        var program = PathLookup.Find("pgbouncer") ?? new[] { "/usr/sbin/pgbouncer" }.FirstOrDefault(File.Exists);
        if (program is null || UnprivilegedCommand.Resolve().Prefix is not { } prefix)
        {
            return null;
        }

        var version = BouncerVersion.Parse((await Tool.RunAsync(program, ["--version"], null, CancellationToken.None)).Output);
        var port = FreePort.Choose();
        var secret = await ReadSecretAsync(serverConnectionString);
        var configuration = BouncerConfiguration.Create(new NpgsqlConnectionStringBuilder(serverConnectionString), secret, port, poolSizes, version);
        var watchdog = StartWatchdog(program, prefix);
        try
        {
            await SendAsync(watchdog, configuration.Settings);
            await SendAsync(watchdog, configuration.Users);
            await watchdog.StandardInput.FlushAsync();
            var answer = (await watchdog.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("PgBouncer was not started.")).Split(' ', 2);
            var endpoint = new BouncerEndpoint(port, int.Parse(answer[0], CultureInfo.InvariantCulture), version.Text, version.CanPrepare);
            await WaitUntilItListensAsync(port, answer[1]);
            return new BouncerProcess(watchdog, endpoint);
        }
        catch
        {
            await StopAsync(watchdog);
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync(_watchdog);

    private static Process StartWatchdog(string program, IReadOnlyList<string> prefix)
    {
        using var script = new StreamReader(typeof(BouncerProcess).Assembly.GetManifestResourceStream("bouncer-watchdog.sh")!);
        string[] command = [.. prefix, "/bin/sh", "-c", script.ReadToEnd(), "watchdog", Environment.IsPrivilegedProcess ? "/tmp" : Path.GetTempPath(), program];
        return Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/", // ours may be closed to the other user
        })!;
    }

    /// <summary>The SCRAM secret of the user; null if the server has another kind, or shows it to superusers only and the user is none.</summary>
    private static async Task<string?> ReadSecretAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT rolpassword FROM pg_authid WHERE rolname = current_user AND rolpassword LIKE 'SCRAM-SHA-256$%'", connection);
        try
        {
            return await command.ExecuteScalarAsync() as string;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return null;
        }
    }

    private static Task SendAsync(Process watchdog, string text)
        => watchdog.StandardInput.WriteLineAsync(Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));

    private static async Task WaitUntilItListensAsync(int port, string directory)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(start) < Patience)
            {
                await Task.Delay(PollInterval);
            }
            catch (SocketException e)
            {
                var said = string.Concat(new[] { "output", "pgbouncer.log" }.Select(name => Path.Combine(directory, name)).Where(File.Exists).Select(File.ReadAllText));
                throw new InvalidOperationException($"PgBouncer does not listen. It said: {said.Trim()}", e);
            }
        }
    }

    private static async Task StopAsync(Process watchdog)
    {
        watchdog.StandardInput.Close();
        await watchdog.WaitForExitAsync();
        watchdog.Dispose();
    }
}
