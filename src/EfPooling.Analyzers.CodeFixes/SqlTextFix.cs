using System.Collections.Immutable;
using EfPooling.Analyzers.Sql;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Text;

namespace EfPooling.Analyzers;

/// <summary>Changes words within a SQL literal, as the analyzer has laid down in the diagnostic. Offers nothing where it has not.</summary>
/// <param name="id">The rule.</param>
/// <param name="title">What is offered.</param>
internal abstract class SqlTextFix(string id, string title) : CodeFixProvider
{
    public sealed override ImmutableArray<string> FixableDiagnosticIds { get; } = [id];

    public sealed override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    public sealed override Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        foreach (var diagnostic in context.Diagnostics)
        {
            if (SqlEdit.Decode(diagnostic) is { } change)
            {
                context.RegisterCodeFix(CodeAction.Create(title, token => ChangeAsync(context.Document, change, token), equivalenceKey: id), diagnostic);
            }
        }

        return Task.CompletedTask;
    }

    private static async Task<Document> ChangeAsync(Document document, TextChange change, CancellationToken cancellationToken)
    {
        var text = await document.GetTextAsync(cancellationToken).ConfigureAwait(false);
        return document.WithText(text.WithChanges(change));
    }
}
