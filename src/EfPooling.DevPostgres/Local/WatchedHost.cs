namespace EfPooling.Dev.Local;

/// <summary>A server on Unix. It ends, and its directory goes, when this process ends in whatever way.</summary>
internal sealed class WatchedHost : IServerHost
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    private readonly Watchdog _watchdog;
    private readonly DevPostgresOptions _options;

    private WatchedHost(ServerBinaries binaries, Watchdog watchdog, string directory, DevPostgresOptions options)
    {
        Binaries = binaries;
        _watchdog = watchdog;
        _options = options;
        DirectoryPath = directory;
    }

    public string DirectoryPath { get; }

    internal ServerBinaries Binaries { get; }

    /// <summary>Process id of the postmaster that was started last; 0 if none was.</summary>
    internal int PostmasterId { get; private set; }

    private string LogPath => Path.Combine(DirectoryPath, "log");

    public static async Task<WatchedHost> CreateAsync(
        ServerBinaries binaries, IReadOnlyList<string> prefix, DevPostgresOptions options, CancellationToken cancellationToken)
    {
        // A session of its own keeps Ctrl+C in our terminal from stopping the server before we have used it for the last time.
        prefix = PathLookup.Find("setsid") is { } setsid ? [setsid, .. prefix] : prefix;

        // The temporary directory of root need not be open to others; /tmp is.
        var parent = Environment.IsPrivilegedProcess ? "/tmp" : Path.GetTempPath();
        var arguments = ServerSettings.For(options).SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" });
        var watchdog = Watchdog.Start(parent, binaries.Directory, prefix, arguments);
        try
        {
            var directory = await watchdog.ReadAnswerAsync("directory", cancellationToken).ConfigureAwait(false);
            return new WatchedHost(binaries, watchdog, directory, options);
        }
        catch
        {
            await watchdog.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async Task InitializeAsync(string password, CancellationToken cancellationToken)
    {
        _watchdog.Send("init " + password);
        if (await _watchdog.ReadAnswerAsync("initialized", cancellationToken).ConfigureAwait(false) != "0")
        {
            throw new ServerStartException("initdb failed.", ServerLog.Tail(LogPath));
        }
    }

    public async Task StartAsync(int port, CancellationToken cancellationToken)
    {
        if (!_watchdog.Exited.IsCompleted)
        {
            throw new InvalidOperationException("The server runs already. Stop it before you start it.");
        }

        _watchdog.SendStart(port);
        PostmasterId = int.Parse(
            await _watchdog.ReadAnswerAsync("started", CancellationToken.None).ConfigureAwait(false), provider: null);
        var exited = _watchdog.Exited;
        var start = _options.TimeProvider.GetTimestamp();
        while (!SaysReady())
        {
            if (exited.IsCompleted)
            {
                var status = await exited.ConfigureAwait(false);
                throw new ServerStartException($"The server ended with status {status} instead of starting.", ServerLog.Tail(LogPath));
            }

            if (_options.TimeProvider.GetElapsedTime(start) >= _options.StartTimeout)
            {
                throw new ServerStartException(
                    $"The server did not accept connections within {_options.StartTimeout}.", ServerLog.Tail(LogPath));
            }

            var pause = Task.Delay(PollInterval, _options.TimeProvider, cancellationToken);
            await (await Task.WhenAny(exited, pause).ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    public async Task StopAsync(StopMode mode, CancellationToken cancellationToken)
    {
        _watchdog.Send(mode == StopMode.Fast ? "signal INT" : "signal QUIT");
        await _watchdog.Exited.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _watchdog.DisposeAsync();

    /// <summary>Looks where pg_ctl looks: the first line of postmaster.pid is the process id, the eighth the state.</summary>
    private bool SaysReady()
    {
        try
        {
            var lines = File.ReadAllLines(Path.Combine(DirectoryPath, "data", "postmaster.pid"));
            return lines.Length >= 8 && lines[0] == $"{PostmasterId}" && lines[7].Trim() == "ready";
        }
        catch (IOException)
        {
            return false; // not written yet
        }
    }
}
