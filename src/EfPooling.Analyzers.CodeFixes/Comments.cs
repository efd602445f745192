using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace EfPooling.Analyzers;

/// <summary>Keeps comments that stand where a fix takes something away.</summary>
internal static class Comments
{
    public static bool Are(SyntaxTrivia trivia)
        => trivia.IsKind(SyntaxKind.SingleLineCommentTrivia) || trivia.IsKind(SyntaxKind.MultiLineCommentTrivia);

    /// <summary>What is to stand before the remaining code: what stood there, and the comments among what goes.</summary>
    /// <param name="leading">What stood before the code.</param>
    /// <param name="gone">Trivia that would be lost.</param>
    public static SyntaxTriviaList Behind(SyntaxTriviaList leading, IEnumerable<SyntaxTrivia> gone)
    {
        var indentation = leading.Count > 0 && leading[leading.Count - 1].IsKind(SyntaxKind.WhitespaceTrivia) ? leading[leading.Count - 1] : default;
        foreach (var comment in gone.Where(Are))
        {
            leading = leading.Add(comment);
            if (comment.IsKind(SyntaxKind.MultiLineCommentTrivia))
            {
                leading = leading.Add(SyntaxFactory.Space);
            }
            else
            {
                leading = leading.Add(SyntaxFactory.LineFeed);
                leading = indentation == default ? leading : leading.Add(indentation);
            }
        }

        return leading;
    }
}
