using System.Text.RegularExpressions;

namespace EfPooling.Analyzers.Tests;

/// <summary>
/// The bad sample as a project outside the repository, with the packages in a folder of its own. Packages are made of what has been built,
/// and nothing is downloaded: what they depend on lies in the user's package folder, since this test project uses it too.
/// </summary>
internal sealed partial class Consumer : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("efpooling-consumer");

    private string Feed => Path.Combine(_folder.FullName, "feed");

    private string Project => Path.Combine(_folder.FullName, "BadSample");

    /// <summary>Packs the three packages, and puts the project beside them.</summary>
    public async Task CreateAsync()
    {
        await Packages.PackAsync(Feed);
        Directory.CreateDirectory(Project);
        foreach (var file in Directory.EnumerateFiles(Sources(), "*.cs"))
        {
            File.Copy(file, Path.Combine(Project, Path.GetFileName(file)));
        }

        File.Copy(Path.Combine(Sources(), "BadSample.editorconfig"), Path.Combine(Project, ".editorconfig"));
        var project = File.ReadAllText(Path.Combine(Sources(), "BadSample.project"))
            .Replace("{version}", Packages.Version, StringComparison.Ordinal)
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
              <fallbackPackageFolders><clear /><add key="user" value="{BuildProperties.Get("NuGetPackageRoot")}" /></fallbackPackageFolders>
            </configuration>
            """);
    }

    /// <summary>Restores and builds the project.</summary>
    /// <returns>The warnings with an id of ours, as often as they were given, sorted: file, place, id and message.</returns>
    public async Task<IReadOnlyList<string>> BuildAsync(params string[] arguments)
    {
        // The console repeats what was said; a log of warnings does not.
        var log = Path.Combine(_folder.FullName, "warnings.log");
        var build = await ProgramRun.OfDotnetAsync(Project, ["build", "-nologo", "-v:quiet", "-nodeReuse:false", "-fl", $"-flp:LogFile={log};WarningsOnly;NoSummary", .. arguments]);
        _ = build.OutputOfSuccess();
        var output = await File.ReadAllTextAsync(log);
        return [.. Warning().Matches(output).Select(match => $"{Path.GetFileName(match.Groups[1].Value)}{match.Groups[2].Value}").Order(StringComparer.Ordinal)];
    }

    /// <summary>The main package.</summary>
    public PackageContent ReadPackage() => PackageContent.Read(Feed, "EfPooling.EntityFrameworkCore");

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Sources() => Path.Combine(Repository.Root, "tests", "EfPooling.Analyzers.Tests", "BadSample");

    [GeneratedRegex(@"^\s*(\S+?)(\(\d+,\d+\): warning EFP\d+: .*?)(?: \(https://\S+\))? \[", RegexOptions.Multiline)]
    private static partial Regex Warning();
}
