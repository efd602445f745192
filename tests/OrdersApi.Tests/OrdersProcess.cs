using System.Diagnostics;
using System.Text.Json;

namespace OrdersApi.Tests;

/// <summary>The API in a process of its own, on a free port, as a user starts it. Disposing kills it if it still runs.</summary>
internal sealed class OrdersProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly List<JsonElement> _logs = [];

    private OrdersProcess(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    public HttpClient Client { get; } = new() { DefaultRequestHeaders = { { "X-Tenant", OrdersApp.Tenant } } };

    /// <summary>What was read from standard output so far.</summary>
    public IReadOnlyList<JsonElement> Logs => _logs;

    public static async Task<OrdersProcess> StartAsync(string[] arguments, params (string Name, string Value)[] environment)
    {
        var process = Launch(arguments, environment);
        var listening = await process.ReadUntilAsync(line => line.GetProperty("State").TryGetProperty("address", out _))
            ?? throw new InvalidOperationException("The API did not start: " + await process._errors);
        process.Client.BaseAddress = new Uri(listening.GetProperty("State").GetProperty("address").GetString()!);
        return process;
    }

    /// <summary>Starts an API that is expected to end by itself.</summary>
    /// <returns>Its exit code and what it says on standard error.</returns>
    public static async Task<(int ExitCode, string Errors)> RunAsync(string[] arguments, params (string Name, string Value)[] environment)
    {
        await using var process = Launch(arguments, environment);
        return (await process.WaitForExitAsync(), await process._errors);
    }

    public async Task<Answer> GetAsync(string path) => await Answer.ReadAsync(await Client.GetAsync(path));

    /// <summary>Asks the process to end, as Ctrl+C and <c>docker stop</c> do.</summary>
    /// <returns>Its exit code, when all its output has been read.</returns>
    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        return await WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static OrdersProcess Launch(string[] arguments, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "OrdersApi.dll"), "--urls", "http://127.0.0.1:0", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new OrdersProcess(Process.Start(start)!);
    }

    private async Task<int> WaitForExitAsync()
    {
        await ReadUntilAsync(_ => false);
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Every line must be JSON.</summary>
    private async Task<JsonElement?> ReadUntilAsync(Func<JsonElement, bool> condition)
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var log = JsonElement.Parse(line);
            _logs.Add(log);
            if (condition(log))
            {
                return log;
            }
        }

        return null;
    }
}
