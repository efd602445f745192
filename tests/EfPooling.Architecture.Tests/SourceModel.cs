using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Architecture.Tests;

/// <summary>The source of a project with every name bound by the compiler: which file uses which type of which other file.</summary>
internal sealed class SourceModel
{
    private const string ImplicitUsings =
        """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private SourceModel(IReadOnlyList<string> files, IReadOnlyList<FileUse> uses, IReadOnlyList<string> unbound)
        => (Files, Uses, Unbound) = (files, uses, unbound);

    /// <summary>Paths relative to the project, with forward slashes.</summary>
    public IReadOnlyList<string> Files { get; }

    public IReadOnlyList<FileUse> Uses { get; }

    /// <summary>What the compiler could not bind, apart from what generators write: an arrow in there would be seen by nobody.</summary>
    public IReadOnlyList<string> Unbound { get; }

    /// <summary>Reads a project of the repository.</summary>
    /// <param name="project">Its name, which is also that of its folder in <c>src</c> and of its assembly.</param>
    public static SourceModel Read(string project)
    {
        var root = Path.Combine(Repository.Root, "src", project);
        var paths = Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories).Where(IsSource).Order(StringComparer.Ordinal).ToList();
        var options = new CSharpParseOptions(LanguageVersion.Preview);
        var trees = paths.Select(path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), options, path)).ToList();
        var compilation = CSharpCompilation.Create(
            project,
            [.. trees, CSharpSyntaxTree.ParseText(ImplicitUsings, options)],
            References(project),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

        return new SourceModel(
            [.. paths.Select(path => Relative(root, path))],
            [.. trees.SelectMany(tree => UsesOf(compilation, tree, root)).Distinct()],
            [.. compilation.GetDiagnostics().Where(IsOfAName).Select(diagnostic => diagnostic.ToString())]);

        bool IsSource(string path) => !Relative(root, path).StartsWith("obj/", StringComparison.Ordinal) && !Relative(root, path).StartsWith("bin/", StringComparison.Ordinal);
    }

    // CS8795: a partial method whose body a generator writes.
    private static bool IsOfAName(Diagnostic diagnostic) => diagnostic is { Severity: DiagnosticSeverity.Error, Id: not "CS8795" };

    /// <summary>The first folder of a file; empty for the project's own.</summary>
    public static string FolderOf(string file) => file.Contains('/', StringComparison.Ordinal) ? file[..file.IndexOf('/', StringComparison.Ordinal)] : "";

    private static IEnumerable<FileUse> UsesOf(Compilation compilation, SyntaxTree tree, string root)
    {
        var semantics = compilation.GetSemanticModel(tree);
        var file = Relative(root, tree.FilePath);
        foreach (var name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
        {
            var symbol = semantics.GetSymbolInfo(name) is var info ? info.Symbol ?? info.CandidateSymbols.FirstOrDefault() : null;
            if (symbol is null or INamespaceSymbol)
            {
                continue;
            }

            var type = (symbol as INamedTypeSymbol ?? symbol.ContainingType)?.OriginalDefinition;
            while (type?.ContainingType is { } outer)
            {
                type = outer;
            }

            foreach (var target in Declarations(symbol is INamedTypeSymbol ? type : symbol.OriginalDefinition, type, root))
            {
                if (type is not null && target != file)
                {
                    yield return new FileUse(file, target, type.Name);
                }
            }
        }
    }

    // Of a type in several files, the one with its name stands for the type as a whole.
    private static List<string> Declarations(ISymbol? symbol, INamedTypeSymbol? type, string root)
    {
        var files = (symbol?.DeclaringSyntaxReferences ?? []).Select(declaration => Relative(root, declaration.SyntaxTree.FilePath)).ToList();
        return symbol is INamedTypeSymbol && files.Find(file => Path.GetFileNameWithoutExtension(file) == type?.Name) is { } main ? [main] : files;
    }

    private static IEnumerable<MetadataReference> References(string project)
        => ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(path => Path.GetFileNameWithoutExtension(path) != project)
            .Select(path => MetadataReference.CreateFromFile(path));

    private static string Relative(string root, string path) => Path.GetRelativePath(root, path).Replace('\\', '/');
}
