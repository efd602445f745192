using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace EfPooling.Analyzers.Sql;

/// <summary>A SQL text as far as the code shows it, and where its characters stand in the file.</summary>
/// <param name="text">The text, with <see cref="Hole"/> or a parameter where values are put in.</param>
/// <param name="positions">For each character its place in the file, or -1.</param>
/// <param name="syntax">The expression that the caller passes.</param>
internal sealed class SqlSource(string text, int[] positions, SyntaxNode syntax)
{
    /// <summary>Stands for a value that is pasted into the text, so that anything may be there.</summary>
    public const char Hole = '\u0001';

    /// <summary>Stands for a value that becomes a parameter.</summary>
    public const string Parameter = "$1";

    public string Text { get; } = text;

    public SyntaxNode Syntax { get; } = syntax;

    /// <summary>Where a piece of the text stands; the whole expression if it does not stand there as it is.</summary>
    public Location LocationOf(int start, int end)
        => SpanOf(start, end) is { } span ? Location.Create(Syntax.SyntaxTree, span) : Syntax.GetLocation();

    /// <summary>
    /// The place of a piece that stands within the passed expression. Null if it stands elsewhere (in a constant, say), or if some of it cannot be located.
    /// An empty piece is the place before the character at <paramref name="start"/>, or behind the last one.
    /// </summary>
    public TextSpan? SpanOf(int start, int end)
    {
        if (end == start)
        {
            return start < positions.Length && positions[start] >= 0 ? Within(new TextSpan(positions[start], 0))
                : start > 0 && positions[start - 1] >= 0 ? Within(new TextSpan(positions[start - 1] + 1, 0))
                : null;
        }

        var (first, last) = (positions[start], positions[end - 1]);
        return first < 0 || last < first ? null : Within(TextSpan.FromBounds(first, last + 1));
    }

    private TextSpan? Within(TextSpan span) => Syntax.Span.Contains(span) ? span : null;
}
