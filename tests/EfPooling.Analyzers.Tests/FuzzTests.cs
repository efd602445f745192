using System.Collections.Immutable;
using EfPooling.AdoNet.Sql;
using EfPooling.AdoNet.Tests;
using EfPooling.Analyzers.Tests.Fuzzing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;

namespace EfPooling.Analyzers.Tests;

/// <summary>No analyzer and no code fix throws, whatever state the code is in while it is being typed.</summary>
public sealed class FuzzTests
{
    /// <summary>Five seeds that stay, the last of which once found a missing semicolon, and one that nobody has tried.</summary>
    public static TheoryData<int> Seeds => [1, 2, 3, 165, 740817510, Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public async Task BrokenCode_MakesNothingThrow(int seed)
    {
        var sources = GuardTests.AllCases().SelectMany(cases => cases.All).Select(item => Markup.Parse(TestSource.Wrap(item.Source)).Code).ToArray();
        var mutation = new Mutation(new Random(seed), sources);
        var documents = await TestCompilation.CreateDocumentsAsync(sources.Select((source, i) => $"namespace Fuzz{i};\n{mutation.Apply(source)}"));
        try
        {
            var compilation = (await documents[0].Project.GetCompilationAsync())!;
            var found = await Analysis.RunAsync(compilation, null, Analysis.AllAnalyzers());
            foreach (var fix in Analysis.AllFixes())
            {
                await ApplyAsync(documents[0].Project, fix, found);
            }
        }
        catch (Exception error)
        {
            Assert.Fail($"Seed {seed}: {error}");
        }
    }

    [Fact]
    public async Task UnfinishedSql_MakesNothingThrow()
    {
        var texts = SqlCorpus.Entries.SelectMany(entry => SqlLexer.Read(entry.Sql, out _).Select(token => entry.Sql[..token.End])).Distinct();
        var calls = texts.Select(text => $"        connection.Execute({SymbolDisplay.FormatLiteral(text, quote: true)});\n");
        var source = $"public sealed class Example : DbConnectionInterceptor\n{{\n    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)\n    {{\n{string.Concat(calls)}    }}\n}}\n";

        Assert.NotEmpty(await Analysis.RunAsync(TestCompilation.Create(source), null, new SqlRulesAnalyzer()));
    }

    // Code that compiles still does so after the fix.
    private static async Task ApplyAsync(Project project, CodeFixProvider fix, ImmutableArray<Diagnostic> found)
    {
        foreach (var diagnostic in found.Where(diagnostic => fix.FixableDiagnosticIds.Contains(diagnostic.Id)))
        {
            var actions = new List<CodeAction>();
            var document = project.GetDocument(diagnostic.Location.SourceTree)!;
            await fix.RegisterCodeFixesAsync(new CodeFixContext(document, diagnostic, (action, _) => actions.Add(action), CancellationToken.None));
            foreach (var action in actions)
            {
                var change = Assert.Single((await action.GetOperationsAsync(CancellationToken.None)).OfType<ApplyChangesOperation>());
                if ((await ErrorsAsync(document)).Length == 0)
                {
                    var changed = change.ChangedSolution.GetDocument(document.Id)!;
                    Assert.True(await ErrorsAsync(changed) is var errors && errors.Length == 0, $"{errors}\n{diagnostic}\n{await changed.GetTextAsync()}");
                }
            }
        }
    }

    private static async Task<string> ErrorsAsync(Document document)
        => string.Join('\n', (await document.GetSemanticModelAsync())!.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error));
}
