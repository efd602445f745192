using System.Diagnostics;

namespace EfPooling.Dev;

/// <summary>Runs a program to its end.</summary>
internal static class Tool
{
    /// <summary>What a program said; <see cref="ExitCode"/> 0 means success.</summary>
    internal sealed record Result(int ExitCode, string Output, string Error);

    /// <summary>Runs a program without standard input. A cancelled call kills it.</summary>
    public static async Task<Result> RunAsync(
        string program, IEnumerable<string> arguments, string? workingDirectory, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingDirectory ?? "",
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return new Result(
                process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
