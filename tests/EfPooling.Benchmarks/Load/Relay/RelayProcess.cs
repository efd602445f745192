using System.Diagnostics;
using System.Globalization;

namespace EfPooling.Benchmarks.Load.Relay;

/// <summary>A relay that runs beside us and ends with this object, or with this process in whatever way.</summary>
internal sealed class RelayProcess : IAsyncDisposable
{
    private readonly Process _process;

    private RelayProcess(Process process, int port)
    {
        _process = process;
        Port = port;
    }

    public int Port { get; }

    public static async Task<RelayProcess> StartAsync(string targetHost, int targetPort, TimeSpan roundTrip)
    {
        var process = Process.Start(new ProcessStartInfo(SelfCommand.Program,
            [.. SelfCommand.Arguments, RelayVerb.Name, targetHost, $"{targetPort}", string.Create(CultureInfo.InvariantCulture, $"{roundTrip.TotalMicroseconds / 2:0}")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var answer = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The relay did not start.");
        return new RelayProcess(process, int.Parse(answer, CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
