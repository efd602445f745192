using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace EfPooling.Analyzers.Tests;

/// <summary>A project in memory that compiles against the assemblies of this test project: the true EF Core, Npgsql, Dapper and ASP.NET Core.</summary>
internal static class TestCompilation
{
    private static readonly Lazy<List<(string Name, MetadataReference Reference)>> References = new(
        () => [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => (Path.GetFileName(path), (MetadataReference)MetadataReference.CreateFromFile(path)))]);

    /// <summary>The document of the example. The caller disposes of the workspace.</summary>
    public static Document CreateDocument(AdhocWorkspace workspace, string source, string? without = null)
    {
        var project = workspace.AddProject(ProjectInfo.Create(
            ProjectId.CreateNewId(),
            VersionStamp.Default,
            "Example",
            "Example",
            LanguageNames.CSharp,
            compilationOptions: new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true),
            parseOptions: CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest),
            metadataReferences: References.Value.Where(item => without is null || !item.Name.StartsWith(without, StringComparison.Ordinal)).Select(item => item.Reference)));
        return project.AddDocument("Prelude.cs", TestSource.PreludeWithout(without)).Project.AddDocument("Test0.cs", source);
    }

    /// <summary>The same without a workspace, for a source that need not compile.</summary>
    public static CSharpCompilation Create(params string[] sources)
        => CSharpCompilation.Create(
            "Example",
            sources.Prepend(TestSource.Prelude).Select((source, i) => CSharpSyntaxTree.ParseText(source, path: $"Test{i}.cs")),
            References.Value.Select(item => item.Reference),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
}
