using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Text.RegularExpressions;

namespace EfPooling.Analyzers.Tests;

/// <summary>
/// The bad sample as a project outside the repository, with the packages in a folder of its own. Packages are made of what has been built,
/// and nothing is downloaded: what they depend on lies in the user's package folder, since this test project uses it too.
/// </summary>
internal sealed partial class Consumer : IDisposable
{
    private static readonly string[] Packages = ["EfPooling.Core", "EfPooling.AdoNet", "EfPooling.EntityFrameworkCore"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("efpooling-consumer");

    private string Feed => Path.Combine(_folder.FullName, "feed");

    private string Project => Path.Combine(_folder.FullName, "BadSample");

    /// <summary>Packs the three packages, and puts the project beside them.</summary>
    public async Task CreateAsync()
    {
        await PackAsync();
        Directory.CreateDirectory(Project);
        foreach (var file in Directory.EnumerateFiles(Sources(), "*.cs"))
        {
            File.Copy(file, Path.Combine(Project, Path.GetFileName(file)));
        }

        File.Copy(Path.Combine(Sources(), "BadSample.editorconfig"), Path.Combine(Project, ".editorconfig"));
        var project = File.ReadAllText(Path.Combine(Sources(), "BadSample.project"))
            .Replace("{version}", Version(), StringComparison.Ordinal)
            .Replace("{dapper}", typeof(Dapper.SqlMapper).Assembly.GetName().Version!.ToString(3), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(Project, "BadSample.csproj"), project);
        foreach (var name in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" })
        {
            File.WriteAllText(Path.Combine(_folder.FullName, name), "<Project />"); // So that none further up is found.
        }

        File.WriteAllText(
            Path.Combine(_folder.FullName, "nuget.config"),
            $"""
            <configuration>
              <packageSources><clear /><add key="feed" value="{Feed}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="user" value="{Metadata("NuGetPackageRoot")}" /></fallbackPackageFolders>
            </configuration>
            """);
    }

    /// <summary>Restores and builds the project.</summary>
    /// <returns>The warnings with an id of ours, as often as they were given, sorted: file, place, id and message.</returns>
    public async Task<IReadOnlyList<string>> BuildAsync(params string[] arguments)
    {
        // The console repeats what was said; a log of warnings does not.
        var log = Path.Combine(_folder.FullName, "warnings.log");
        await RunAsync(Project, ["build", "-nologo", "-v:quiet", "-nodeReuse:false", "-fl", $"-flp:LogFile={log};WarningsOnly;NoSummary", .. arguments]);
        var output = await File.ReadAllTextAsync(log);
        return [.. Warning().Matches(output).Select(match => $"{Path.GetFileName(match.Groups[1].Value)}{match.Groups[2].Value}").Order(StringComparer.Ordinal)];
    }

    /// <summary>The names of the files in the main package, and its description of itself.</summary>
    public (IReadOnlyList<string> Files, string Description) ReadPackage()
    {
        using var package = ZipFile.OpenRead(Path.Combine(Feed, $"EfPooling.EntityFrameworkCore.{Version()}.nupkg"));
        using var description = new StreamReader(package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open());
        return ([.. package.Entries.Select(entry => entry.FullName).Order(StringComparer.Ordinal)], description.ReadToEnd());
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Sources() => Path.Combine(Repository.Root, "tests", "EfPooling.Analyzers.Tests", "BadSample");

    private static string Version() => Metadata("PackageVersion");

    private static string Metadata(string key)
        => typeof(Consumer).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == key).Value!;

    private async Task PackAsync()
    {
        var projects = string.Join(';', Packages.Select(name => Path.Combine(Repository.Root, "src", name, name + ".csproj")));
        var script = Path.Combine(_folder.FullName, "pack.proj");
        File.WriteAllText(
            script,
            $"""
            <Project>
              <Target Name="PackAll">
                <MSBuild Projects="{projects}" Targets="Pack" Properties="NoBuild=true;Configuration={Metadata("Configuration")};PackageOutputPath={Feed};IncludeSymbols=false;EnablePackageValidation=false" />
              </Target>
            </Project>
            """);
        await RunAsync(_folder.FullName, ["msbuild", script, "-t:PackAll", "-nologo", "-v:quiet", "-nodeReuse:false"]);
    }

    private static async Task<string> RunAsync(string folder, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name); // Of the process that runs the tests.
        }

        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', start.ArgumentList)} failed:\n{output}\n{await error}");
        return output;
    }

    [GeneratedRegex(@"^\s*(\S+?)(\(\d+,\d+\): warning EFP\d+: .*?)(?: \(https://\S+\))? \[", RegexOptions.Multiline)]
    private static partial Regex Warning();
}
