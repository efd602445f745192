using System.Diagnostics;

namespace EfPooling.Testing;

/// <summary>A program that was run to its end, and what it said.</summary>
public sealed record ProgramRun(string Command, int ExitCode, string Output, string Errors)
{
    /// <summary>Runs a program with the test's own environment.</summary>
    public static async Task<ProgramRun> OfAsync(string program, params IEnumerable<string> arguments) => await OfAsync(new ProcessStartInfo(program, arguments));

    /// <summary>Runs the SDK's command line, so that it leaves no process behind and says what it says in English.</summary>
    public static async Task<ProgramRun> OfDotnetAsync(string folder, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name); // Of the process that runs the tests.
        }

        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        return await OfAsync(start);
    }

    /// <summary>The output of a program that must have succeeded.</summary>
    public string OutputOfSuccess() => ExitCode == 0 ? Output : throw new InvalidOperationException($"{Command} ended with {ExitCode}:\n{Output}\n{Errors}");

    private static async Task<ProgramRun> OfAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new ProgramRun($"{start.FileName} {string.Join(' ', start.ArgumentList)}", process.ExitCode, output, await errors);
    }
}
