using System.Diagnostics;
using System.Text.Json;
using EfPooling.Dev;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>Runs <see cref="ScaleVerb"/> in a process that may use some of the processors only.</summary>
internal static class ScaleProcess
{
    private static readonly string? TaskSet = OperatingSystem.IsLinux() ? PathLookup.Find("taskset") : null;

    /// <summary>Whether the number of processors can be limited here.</summary>
    public static bool CanLimit => TaskSet is not null;

    public static async Task<IReadOnlyList<ScaleCell>> RunAsync(ScaleOrder order, ILoadProgress progress)
    {
        string[] limit = TaskSet is null ? [] : [TaskSet, "--cpu-list", $"0-{order.Cores - 1}"];
        string[] command = [.. limit, SelfCommand.Program, .. SelfCommand.Arguments, ScaleVerb.Name];
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(order));
        await process.StandardInput.FlushAsync();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(ScaleVerb.StepPrefix, StringComparison.Ordinal))
            {
                progress.Step(line[ScaleVerb.StepPrefix.Length..]);
            }
            else
            {
                await process.WaitForExitAsync();
                return JsonSerializer.Deserialize<List<ScaleCell>>(line)!;
            }
        }

        await process.WaitForExitAsync();
        throw new InvalidOperationException($"The process that measures with {order.Cores} processors ended with status {process.ExitCode}.");
    }
}
