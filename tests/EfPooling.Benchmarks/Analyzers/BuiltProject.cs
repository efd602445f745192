extern alias analyzers; // It has the SQL classifier, too, from the same source.

using System.Diagnostics;
using System.Reflection;
using analyzers::EfPooling.Analyzers;
using Dapper;
using Microsoft.EntityFrameworkCore;

namespace EfPooling.Benchmarks.Analyzers;

/// <summary>
/// The synthetic project on disk, as a user builds it: with the analyzers that come with the SDK and with EF Core, and with ours or without. Each build
/// is a compiler process of its own, which has our analyzers' code to compile first.
/// </summary>
internal sealed class BuiltProject : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("efpooling-analyzers-");

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
        await project.RunAsync("restore");
        return project;
    }

    /// <returns>How long it took, on the clock.</returns>
    public async Task<TimeSpan> BuildAsync(bool withOurs)
    {
        var began = Stopwatch.GetTimestamp();
        await RunAsync(
            "build", "--no-restore", "--no-incremental", "-nodeReuse:false", "-p:UseSharedCompilation=false", $"-p:Analyzers={(withOurs ? typeof(PoolingAnalyzer).Assembly.Location : "")}");
        return Stopwatch.GetElapsedTime(began);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static string VersionOf(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private async Task RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = _directory.FullName, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0 || output.Contains("CS8034", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"dotnet {string.Join(' ', arguments)} failed: {output}");
        }
    }
}
