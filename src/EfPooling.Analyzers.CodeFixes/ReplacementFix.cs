using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;

namespace EfPooling.Analyzers;

/// <summary>A fix that replaces one node of the syntax tree by another; also for all diagnostics at once.</summary>
/// <param name="id">Of the rule.</param>
internal abstract class ReplacementFix(string id) : CodeFixProvider
{
    public sealed override ImmutableArray<string> FixableDiagnosticIds { get; } = [id];

    public sealed override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    public sealed override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        var model = await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (var diagnostic in context.Diagnostics)
        {
            if (root is not null && model is not null && Replace(root, model, diagnostic) is var (title, old, replacement))
            {
                context.RegisterCodeFix(
                    CodeAction.Create(title, _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(old, replacement))), equivalenceKey: id),
                    diagnostic);
            }
        }
    }

    /// <returns>What the fix is called, the node that goes and the one that comes; <c>null</c> if this one cannot be fixed.</returns>
    protected abstract (string Title, SyntaxNode Old, SyntaxNode New)? Replace(SyntaxNode root, SemanticModel model, Diagnostic diagnostic);
}
