using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Formatting;
using Microsoft.CodeAnalysis.Simplification;

namespace EfPooling.Analyzers.Tests;

/// <summary>Applies code fixes as an editor does.</summary>
internal static class CodeFixes
{
    private const int MaxFixes = 50;

    /// <summary>The first fix of the first fixable diagnostic, again and again until there is none left.</summary>
    public static async Task<Document> ApplyOneByOneAsync(Document document, CodeFixProvider fix, Func<Document, Task<IReadOnlyList<Diagnostic>>> diagnose)
    {
        for (var i = 0; i < MaxFixes; i++)
        {
            var action = await FirstActionAsync(document, fix, await diagnose(document));
            if (action is null)
            {
                return document;
            }

            document = await ApplyAsync(document, action);
        }

        throw new InvalidOperationException("The fix does not come to an end.");
    }

    /// <summary>Fix All in the document. Fails unless that many passes, and no fewer, leave nothing to fix.</summary>
    public static async Task<Document> ApplyAllAsync(Document document, CodeFixProvider fix, Func<Document, Task<IReadOnlyList<Diagnostic>>> diagnose, int passes)
    {
        for (var pass = 0; ; pass++)
        {
            var found = await diagnose(document);
            var first = await FirstActionAsync(document, fix, found);
            if (first is null)
            {
                Assert.True(pass == 0 || pass == passes, $"Fix All was done after {pass} passes.");
                return document;
            }

            Assert.True(pass < passes, $"Fix All leaves something to fix after {passes} passes:\n{await document.GetTextAsync()}");
            var context = new FixAllContext(
                document, fix, FixAllScope.Document, first.EquivalenceKey, fix.FixableDiagnosticIds, new Provider(found), CancellationToken.None);
            var action = await fix.GetFixAllProvider()!.GetFixAsync(context);
            Assert.True(action is not null, "Fix All offers nothing.");
            document = await ApplyAsync(document, action);
        }
    }

    private static async Task<CodeAction?> FirstActionAsync(Document document, CodeFixProvider fix, IEnumerable<Diagnostic> found)
    {
        foreach (var diagnostic in found.Where(diagnostic => fix.FixableDiagnosticIds.Contains(diagnostic.Id)).OrderBy(diagnostic => diagnostic.Location.SourceSpan.Start))
        {
            var actions = new List<CodeAction>();
            await fix.RegisterCodeFixesAsync(new CodeFixContext(document, diagnostic, (action, _) => actions.Add(action), CancellationToken.None));
            if (actions.Count > 0)
            {
                return actions[0];
            }
        }

        return null;
    }

    private static async Task<Document> ApplyAsync(Document document, CodeAction action)
    {
        var operations = await action.GetOperationsAsync(CancellationToken.None);
        var solution = operations.OfType<ApplyChangesOperation>().Single().ChangedSolution;
        var changed = await Simplifier.ReduceAsync(solution.GetDocument(document.Id)!, Simplifier.Annotation);
        return await Formatter.FormatAsync(changed, Formatter.Annotation);
    }

    private sealed class Provider(IReadOnlyList<Diagnostic> found) : FixAllContext.DiagnosticProvider
    {
        public override Task<IEnumerable<Diagnostic>> GetAllDiagnosticsAsync(Project project, CancellationToken cancellationToken)
            => Task.FromResult<IEnumerable<Diagnostic>>(found);

        public override Task<IEnumerable<Diagnostic>> GetDocumentDiagnosticsAsync(Document document, CancellationToken cancellationToken)
            => Task.FromResult<IEnumerable<Diagnostic>>(found);

        public override Task<IEnumerable<Diagnostic>> GetProjectDiagnosticsAsync(Project project, CancellationToken cancellationToken)
            => Task.FromResult(Enumerable.Empty<Diagnostic>());
    }
}
