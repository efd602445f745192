using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Tests;

/// <summary>Programs without a Main, which the examples of the rules cannot be.</summary>
public sealed class TopLevelTests
{
    [Fact]
    public async Task FlowRules_ReadTopLevelStatements()
    {
        const string Source =
            """
            var db = new AppDb(new DbContextOptions<AppDb>());
            var a = db.Orders.CountAsync();
            var b = {|EFP0002:db.Lines.CountAsync()|};
            await Task.WhenAll(a, b);
            _ = {|EFP0008:db.SaveChangesAsync()|};
            await foreach (var order in db.Orders.AsAsyncEnumerable())
            {
                await {|EFP0011:db.SaveChangesAsync()|};
            }

            await Parallel.ForAsync(0, 3, async (x, t) => await {|EFP0007:db.Orders.FindAsync(x)|});
            var tx = await {|EFP0010:db.Database.BeginTransactionAsync()|};
            await {|EFP0009:Task.Delay(1)|};
            await tx.CommitAsync();
            await tx.DisposeAsync();
            await Later();

            async Task Later()
            {
                var c = db.Orders.CountAsync();
                await {|EFP0002:db.Lines.CountAsync()|};
                await c;
            }
            """;
        var markup = Markup.Parse(Source);
        var compilation = TestCompilation.Create(markup.Code);
        compilation = compilation.WithOptions(compilation.Options.WithOutputKind(OutputKind.ConsoleApplication));
        Assert.DoesNotContain(compilation.GetDiagnostics(), diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);

        var found = await Analysis.RunAsync(compilation, analyzers: new FlowRulesAnalyzer());

        Assert.Equal(
            markup.Expected.OrderBy(item => item.Span.Start),
            found.Select(diagnostic => (diagnostic.Id, Span: diagnostic.Location.SourceSpan)).OrderBy(item => item.Span.Start));
    }
}
