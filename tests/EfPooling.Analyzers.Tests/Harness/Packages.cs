namespace EfPooling.Analyzers.Tests;

/// <summary>The packages that are published, made of what has been built.</summary>
internal static class Packages
{
    public static readonly string[] Names = ["EfPooling.Core", "EfPooling.AdoNet", "EfPooling.EntityFrameworkCore"];

    public static string Version => BuildProperties.Get("PackageVersion");

    /// <summary>Packs them into a folder.</summary>
    public static async Task PackAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        var projects = string.Join(';', Names.Select(name => Path.Combine(Repository.Root, "src", name, name + ".csproj")));
        var script = Path.Combine(folder, "pack.proj");
        await File.WriteAllTextAsync(
            script,
            $"""
            <Project>
              <Target Name="PackAll">
                <MSBuild Projects="{projects}" Targets="Pack" Properties="NoBuild=true;Configuration={BuildProperties.Get("Configuration")};PackageOutputPath={folder};IncludeSymbols=false;EnablePackageValidation=false" />
              </Target>
            </Project>
            """);
        var run = await ProgramRun.OfDotnetAsync(folder, "msbuild", script, "-t:PackAll", "-nologo", "-v:quiet", "-nodeReuse:false");
        _ = run.OutputOfSuccess();
    }
}
