using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Tests;

/// <summary>Long methods cost in proportion to their length. Counted in operations, not in time, which depends on the machine.</summary>
public sealed class CostTests
{
    private const int Few = 40;

    public static TheoryData<string> Lines =>
    [
        "await Task.Run(() => text.Trim()); _ = ids.AsParallel().Select(i => i + {0}).ToList();",
        "await Task.Run(() => db.SaveChanges()); _ = ids.AsParallel().Select(i => i + {0}).ToList();",
        "Parallel.ForEach(ids, i => db.Orders.Find(i + {0}));",
        "var task{0} = db.Orders.CountAsync(); await task{0};",
        "await using (var tx{0} = await db.Database.BeginTransactionAsync()) {{ await db.SaveChangesAsync(); await tx{0}.CommitAsync(); }}",
        "using (var command{0} = conn.CreateCommand()) {{ using var reader{0} = command{0}.ExecuteReader(); reader{0}.Read(); }}",
        "foreach (var order in db.Orders) {{ Console.WriteLine(order.Id + {0}); }}",
        "await Task.WhenAll(ids.Select(i => db.Orders.FindAsync(i + {0}).AsTask()));",
        "await Task.WhenAll(Save(), Save()); var save{0} = Save(); await save{0};",
        "var run{0} = Task.Run(() => Save()); await run{0};",
    ];

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task FlowRules_LookAtEachOperationAFewTimes(string line)
    {
        var (few, many) = (await VisitsAsync(line, Few), await VisitsAsync(line, 2 * Few));

        Assert.True(many <= (2 * few) + Few, $"{few} visits for {Few} lines, {many} for twice as many");
    }

    [Fact]
    public async Task FlowRules_DoNothing_WithoutADatabase()
    {
        Assert.Equal(0, await VisitsAsync("await Task.Run(() => text.Trim()); Parallel.ForEach(ids, i => Console.WriteLine(i + {0}));", Few));
        Assert.False((await ReadAsync("await Task.Run(() => text.Trim()); Parallel.ForEach(ids, i => Console.WriteLine(i + {0}));", Few)).HasWork);
    }

    [Fact]
    public async Task MembersAreReadOnce_WhicheverOperationAsks()
    {
        var body = await ReadAsync("var sql{0} = \"SELECT {0}\"; conn.Execute(sql{0});", Few);

        Assert.Single(body.All.OfType<ILocalReferenceOperation>().Select(MemberOperations.Of).Distinct());
        Assert.Equal(Few, body.All.OfType<ILocalReferenceOperation>().Select(local => LocalValues.InitialValue(local.Local, local)).Distinct().Count());
    }

    [Fact]
    public async Task MethodsAreFollowedOnce_HoweverManyCallThem()
    {
        var body = await ReadAsync("await Task.WhenAll(Save(), Save()); foreach (var order in db.Orders) {{ Save().Wait({0}); }}", Few);
        FlowRulesAnalyzer.Check(body, FlowRulesAnalyzer.AllRules);

        Assert.Equal("Save", Assert.Single(body.Symbols.WorkOfMethods).Key.Name);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MethodsOfOtherFiles_AreNotFollowed_WhoeverAsksFirst(bool isHereFirst)
    {
        var documents = await TestCompilation.CreateDocumentsAsync(
        [
            "public partial class Split(AppDb db) { public async Task First() { await Save(); } private Task Save() => db.SaveChangesAsync(); }",
            "public partial class Split { public async Task Second() { await Save(); } }",
        ]);
        var compilation = (await documents[0].Project.GetCompilationAsync())!;
        var symbols = FlowSymbols.Of(compilation, KnownSymbols.Of(compilation));
        var (here, there) = (await ReadAsync(documents[0], symbols), await ReadAsync(documents[1], symbols));
        foreach (var body in isHereFirst ? new[] { here, there } : [there, here])
        {
            var root = OwnCalls.RootOf(body.Invocations.First(call => call.TargetMethod.Name == "Save"), body);

            Assert.Equal(body == here, root.IsKnown);
        }
    }

    private static async Task<int> VisitsAsync(string line, int count)
    {
        var body = await ReadAsync(line, count);
        FlowRulesAnalyzer.Check(body, FlowRulesAnalyzer.AllRules);
        return body.Visits;
    }

    private static async Task<FlowBody> ReadAsync(string line, int count)
    {
        var lines = string.Join('\n', Enumerable.Range(0, count).Select(i => string.Format(System.Globalization.CultureInfo.InvariantCulture, line, i)));
        var document = await TestCompilation.CreateDocumentAsync(TestSource.Wrap($"public async Task Run(int[] ids)\n{{\n{lines}\nawait Task.Yield();\n}}\n\nprivate Task Save() => db.SaveChangesAsync();\n"));
        return await ReadAsync(document);
    }

    private static async Task<FlowBody> ReadAsync(Document document, FlowSymbols? symbols = null)
    {
        var (compilation, model, root) = ((await document.Project.GetCompilationAsync())!, (await document.GetSemanticModelAsync())!, (await document.GetSyntaxRootAsync())!);
        Assert.DoesNotContain(model.GetDiagnostics(), diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);
        var method = root.DescendantNodes().OfType<MethodDeclarationSyntax>().First();
        var block = ((IMethodBodyOperation)model.GetOperation(method)!).BlockBody!;
#pragma warning disable CS0618 // It may get more parameters; a body can be made in no other way.
        var context = new OperationBlockAnalysisContext(
            [block], model.GetDeclaredSymbol(method)!, compilation, new AnalyzerOptions([], new TestOptions(new Dictionary<string, string>())), _ => { }, _ => true, CancellationToken.None);
#pragma warning restore CS0618
        return new FlowBody(context, block, model, symbols ?? FlowSymbols.Of(compilation, KnownSymbols.Of(compilation)));
    }
}
