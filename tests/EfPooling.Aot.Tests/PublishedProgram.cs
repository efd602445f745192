using EfPooling.Testing;

namespace EfPooling.Aot.Tests;

/// <summary>EfPooling.Aot.Sample as a user publishes it, in a folder of its own: compiled ahead of time, or trimmed where that is not possible here.</summary>
internal sealed class PublishedProgram : IDisposable
{
    private static readonly string Project = System.IO.Path.Combine(Repository.Root, "tests", "EfPooling.Aot.Sample");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("efpooling-aot");

    /// <summary>The program's file.</summary>
    public string Path => System.IO.Path.Combine(_folder.FullName, "published", OperatingSystem.IsWindows() ? "EfPooling.Aot.Sample.exe" : "EfPooling.Aot.Sample");

    /// <summary>Publishes it; a warning of the trimmer or the compiler is an error.</summary>
    /// <returns>How: <c>Native</c> or <c>Trimmed</c>.</returns>
    public async Task<string> PublishAsync()
    {
        var mode = await CanBeNativeAsync() ? "Native" : "Trimmed";
        if (mode == "Trimmed")
        {
            (await DotnetAsync("restore", mode)).OutputOfSuccess();
        }

        (await DotnetAsync("publish", mode, "-o", System.IO.Path.Combine(_folder.FullName, "published"), "--no-restore")).OutputOfSuccess();
        return mode;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    // The packages with the compiler come from the registry, which may not have them for the SDK that is used.
    private async Task<bool> CanBeNativeAsync()
        => await NativeToolChain.IsThereAsync(_folder.FullName) && (await DotnetAsync("restore", "Native")).ExitCode == 0;

    // Nothing is written beside the sources. One process does it all, without analyzers, which the ordinary build runs.
    private Task<ProgramRun> DotnetAsync(string command, string mode, params IEnumerable<string> arguments)
        => ProgramRun.OfDotnetAsync(
            _folder.FullName,
            [
                command, Project, "--artifacts-path", _folder.FullName, "--use-current-runtime", "-maxCpuCount:1", "-p:Configuration=Release", "-p:RunAnalyzers=false",
                $"-p:PublishAs={mode}", $"-p:BuiltAssemblies={AppContext.BaseDirectory.TrimEnd(System.IO.Path.DirectorySeparatorChar)}", .. arguments,
            ]);
}
