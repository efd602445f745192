using System.Diagnostics;
using System.Threading.Channels;

namespace EfPooling.Dev.Local;

/// <summary>Our end of <c>watchdog.sh</c>, which owns the server on Unix and cleans up when we are gone.</summary>
/// <remarks>One command at a time. Disposing ends the server hard, if it runs, and removes its directory.</remarks>
internal sealed class Watchdog : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Process _process; // its standard input is guarded by _gate
    private readonly Channel<string> _answers = Channel.CreateUnbounded<string>();
    private readonly Task<string> _errors;
    private readonly Task _reading;
    private TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously); // guarded by _gate
    private bool _closed; // guarded by _gate

    private Watchdog(Process process)
    {
        _process = process;
        _exited.SetResult(0); // nothing runs yet
        _errors = process.StandardError.ReadToEndAsync();
        _reading = ReadAnswersAsync();
    }

    /// <summary>Completes with the exit status of the server when its last process has ended, or if none runs.</summary>
    public Task<int> Exited
    {
        get
        {
            lock (_gate)
            {
                return _exited.Task;
            }
        }
    }

    /// <summary>Starts the script below <paramref name="prefix"/>; it creates its directory in <paramref name="parent"/>.</summary>
    public static Watchdog Start(
        string parent, string binaries, IReadOnlyList<string> prefix, IEnumerable<string> serverArguments)
    {
        string[] command = [.. prefix, "/bin/sh", "-c", Script(), "watchdog", parent, binaries, .. serverArguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = parent, // ours may be closed to the other user
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["LC_ALL"] = "C";
        return new Watchdog(Process.Start(start)!);
    }

    /// <summary>Waits for the next answer, which must begin with the word, and returns the rest of it.</summary>
    public async Task<string> ReadAnswerAsync(string word, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await _answers.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            Debug.Assert(answer.StartsWith(word + " ", StringComparison.Ordinal), answer);
            return answer[(word.Length + 1)..];
        }
        catch (ChannelClosedException)
        {
            var errors = await _errors.ConfigureAwait(false);
            throw new ServerStartException("The watchdog of the server ended unexpectedly.", errors.TrimEnd());
        }
    }

    public void Send(string command)
    {
        lock (_gate)
        {
            SendLocked(command);
        }
    }

    public void SendStart(int port)
    {
        lock (_gate)
        {
            _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
            SendLocked($"start {port}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closed = true;
            try
            {
                _process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It has ended.
            }
        }

        await _reading.ConfigureAwait(false);
        await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        _process.Dispose();
    }

    private static string Script()
    {
        using var stream = typeof(Watchdog).Assembly.GetManifestResourceStream("watchdog.sh")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private void SendLocked(string command)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        if (_closed)
        {
            return; // the script ends by itself, and with it the server
        }

        try
        {
            _process.StandardInput.WriteLine(command);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended; a caller that waits for an answer learns it from the end of its output.
        }
    }

    private async Task ReadAnswersAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            if (line == "gone")
            {
                Send("reap");
            }
            else if (line.StartsWith("exited ", StringComparison.Ordinal))
            {
                EndRun(int.Parse(line.AsSpan("exited ".Length), provider: null));
            }
            else
            {
                _answers.Writer.TryWrite(line);
            }
        }

        _answers.Writer.Complete();
        EndRun(-1);
    }

    private void EndRun(int status)
    {
        lock (_gate)
        {
            _exited.TrySetResult(status);
        }
    }
}
