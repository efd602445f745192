extern alias analyzers; // It has the SQL classifier, too, from the same source.

using System.Diagnostics;
using System.Reflection;
using analyzers::EfPooling.Analyzers;
using Dapper;
using Microsoft.EntityFrameworkCore;

namespace EfPooling.Benchmarks.Analyzers;

/// <summary>
/// The synthetic project on disk, as a user builds it: with the compiler server that the SDK starts, with the analyzers that come with the SDK and with
/// EF Core, and with ours or without.
/// </summary>
internal sealed class BuiltProject : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("efpooling-analyzers-");
    private readonly string _server = $"efpooling-{Guid.NewGuid():N}"; // its pipe

    private string Log => Path.Combine(_directory.FullName, "server.log");

    /// <summary>Writes the files and restores the packages.</summary>
    public static async Task<BuiltProject> CreateAsync(int files)
    {
        var project = new BuiltProject();
        foreach (var (name, text) in SyntheticProject.Files(files))
        {
            await File.WriteAllTextAsync(Path.Combine(project._directory.FullName, name), text);
        }

        await File.WriteAllTextAsync(Path.Combine(project._directory.FullName, "Synthetic.csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable></PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Dapper" Version="{VersionOf(typeof(SqlMapper))}" />
                <PackageReference Include="Npgsql.EntityFrameworkCore.PostgreSQL" Version="{VersionOf(typeof(NpgsqlDbContextOptionsBuilderExtensions))}" />
                <Analyzer Include="$(Analyzers)" Condition="'$(Analyzers)' != ''" />
              </ItemGroup>
            </Project>
            """);
        await project.RunAsync("dotnet", "restore");
        return project;
    }

    /// <returns>How long it took, on the clock.</returns>
    public async Task<TimeSpan> BuildAsync(bool withOurs)
    {
        File.Delete(Log);
        var began = Stopwatch.GetTimestamp();
        await RunAsync(
            "dotnet", "build", "--no-restore", "--no-incremental", "-nodeReuse:false", "-maxcpucount:1",
            "-p:UseSharedCompilation=true", $"-p:SharedCompilationId={_server}", $"-p:Analyzers={(withOurs ? typeof(PoolingAnalyzer).Assembly.Location : "")}");
        var time = Stopwatch.GetElapsedTime(began);
        return (await File.ReadAllTextAsync(Log)).Contains("server processed compilation", StringComparison.Ordinal)
            ? time
            : throw new InvalidOperationException("The compiler server did not take the project, so this build is no measure of one.");
    }

    /// <summary>Ends the compiler server.</summary>
    public async ValueTask DisposeAsync()
    {
        var roslyn = (await RunAsync("dotnet", "msbuild", "-getProperty:RoslynTargetsPath")).Trim();
        await RunAsync(Path.Combine(roslyn, "bincore", "VBCSCompiler"), "-shutdown", $"-pipename:{_server}");
        _directory.Delete(recursive: true);
    }

    private static string VersionOf(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = _directory.FullName, RedirectStandardOutput = true };
        start.Environment["RoslynCommandLineLogFile"] = Log;
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 && !output.Contains("CS8034", StringComparison.Ordinal)
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {output}");
    }
}
