using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Diagnostics;

namespace EfPooling.Analyzers.Tests;

/// <summary>
/// Holds a rule to an example: what it reports, and what its fix makes of it, one by one and all at once. What a fix leaves must compile,
/// also where the example does not say what that is.
/// </summary>
internal static class RuleVerifier
{
    public static async Task VerifyAsync(RuleCases rule, RuleCase item, DiagnosticAnalyzer analyzer, CodeFixProvider? fix)
    {
        var markup = Markup.Parse(TestSource.Wrap(item.Source));
        var document = await TestCompilation.CreateDocumentAsync(markup.Code, item.Without, item.InTestProject, item.InProgram);
        var compilation = (await document.Project.GetCompilationAsync())!;
        AssertCompiles(compilation, "The example");

        var found = Own(rule, await Analysis.RunAsync(compilation, item.Options, analyzer));
        Assert.Equal(Describe(markup.Code, markup.Expected), Describe(markup.Code, found.Select(diagnostic => (diagnostic.Id, diagnostic.Location.SourceSpan))));

        Assert.True(fix is not null || item.Fixed is null, $"{rule.Id} has no fix.");
        if (fix is not null && item.Fires)
        {
            var oneByOne = await CodeFixes.ApplyOneByOneAsync(document, fix, Diagnostics);
            AssertCompiles((await oneByOne.Project.GetCompilationAsync())!, "What the fix leaves");
            var expected = item.Fixed is null ? (await oneByOne.GetTextAsync()).ToString() : TestSource.Wrap(item.Fixed);
            Assert.Equal(expected, (await oneByOne.GetTextAsync()).ToString(), ignoreLineEndingDifferences: true);
            var atOnce = await CodeFixes.ApplyAllAsync(document, fix, Diagnostics, item.Passes);
            Assert.Equal(expected, (await atOnce.GetTextAsync()).ToString(), ignoreLineEndingDifferences: true);
        }

        async Task<IReadOnlyList<Diagnostic>> Diagnostics(Document current)
            => Own(rule, await Analysis.RunAsync((await current.Project.GetCompilationAsync())!, item.Options, analyzer));
    }

    private static List<Diagnostic> Own(RuleCases rule, IEnumerable<Diagnostic> found)
        => [.. found.Where(diagnostic => diagnostic.Id == rule.Id || !diagnostic.Id.StartsWith("EFP", StringComparison.Ordinal))];

    private static void AssertCompiles(Compilation compilation, string what)
    {
        var errors = compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).ToList();
        Assert.True(errors.Count == 0, $"{what} does not compile:\n{string.Join('\n', errors)}\n{compilation.SyntaxTrees.Last()}");
    }

    private static string Describe(string code, IEnumerable<(string Id, Microsoft.CodeAnalysis.Text.TextSpan Span)> found)
        => string.Join('\n', found.OrderBy(item => item.Span.Start).ThenBy(item => item.Span.Length).ThenBy(item => item.Id, StringComparer.Ordinal)
            .Select(item => $"{item.Id} {item.Span} {code.Substring(item.Span.Start, item.Span.Length)}"));
}
