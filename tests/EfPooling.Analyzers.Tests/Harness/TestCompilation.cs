using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace EfPooling.Analyzers.Tests;

/// <summary>A project in memory that compiles against the assemblies of this test project: the true EF Core, Npgsql, Dapper and ASP.NET Core.</summary>
internal static class TestCompilation
{
    private static readonly Lazy<List<(string Name, MetadataReference Reference)>> References = new(
        () => [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => (Path.GetFileName(path), (MetadataReference)MetadataReference.CreateFromFile(path)))]);

    private static readonly Lazy<CSharpCompilation> Base = new(() => CSharpCompilation.Create(
        "Example",
        [CSharpSyntaxTree.ParseText(TestSource.Prelude, path: "Prelude.cs")],
        Referenced(null, isTest: false),
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable)));

    private static readonly AdhocWorkspace Workspace = new();
    private static readonly ConcurrentDictionary<(string?, bool), Lazy<Task<Project>>> Projects = new();

    /// <summary>A document with the example, in a fork of a project that all examples share, so that metadata are read once.</summary>
    /// <param name="source">The file.</param>
    /// <param name="without">The start of the file name of an assembly that is not referenced.</param>
    /// <param name="isTest">Whether it is a test project.</param>
    /// <param name="isProgram">Whether it is a program and not a library.</param>
    public static async Task<Document> CreateDocumentAsync(string source, string? without = null, bool isTest = false, bool isProgram = false)
    {
        var project = await Projects.GetOrAdd((without, isTest), _ => new Lazy<Task<Project>>(() => CreateProjectAsync(without, isTest))).Value;
        if (isProgram)
        {
            project = project.WithCompilationOptions(project.CompilationOptions!.WithOutputKind(OutputKind.ConsoleApplication)).AddDocument("Program.cs", TestSource.Program).Project;
        }

        return project.AddDocument("Test0.cs", source);
    }

    /// <summary>Several documents of one project.</summary>
    public static async Task<IReadOnlyList<Document>> CreateDocumentsAsync(IEnumerable<string> sources)
    {
        var project = (await CreateDocumentAsync("")).Project;
        var ids = new List<DocumentId>();
        foreach (var source in sources)
        {
            var document = project.AddDocument($"File{ids.Count}.cs", source);
            ids.Add(document.Id);
            project = document.Project;
        }

        return [.. ids.Select(id => project.GetDocument(id)!)];
    }

    private static IEnumerable<MetadataReference> Referenced(string? without, bool isTest)
        => References.Value
            .Where(item => (without is null || !item.Name.StartsWith(without, StringComparison.Ordinal)) && (isTest || !item.Name.StartsWith("xunit", StringComparison.Ordinal)))
            .Select(item => item.Reference);

    private static async Task<Project> CreateProjectAsync(string? without, bool isTest)
    {
        var id = ProjectId.CreateNewId();
        var solution = Workspace.CurrentSolution.AddProject(ProjectInfo.Create(
            id,
            VersionStamp.Default,
            "Example",
            "Example",
            LanguageNames.CSharp,
            compilationOptions: new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true),
            parseOptions: CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest),
            metadataReferences: Referenced(without, isTest)));
        var project = solution.GetProject(id)!.AddDocument("Prelude.cs", TestSource.PreludeWithout(without)).Project;
        await project.GetCompilationAsync();
        return project;
    }

    /// <summary>The same without a workspace, for sources that need not compile.</summary>
    public static CSharpCompilation Create(params string[] sources)
        => Base.Value.AddSyntaxTrees(sources.Select((source, i) => CSharpSyntaxTree.ParseText(source, path: $"Test{i}.cs")));
}
