using System.Text;

namespace EfPooling.AdoNet.Sql;

/// <summary>Shortens a statement for messages.</summary>
internal static class StatementSummary
{
    private const int MaxLength = 120;
    private const int MaxConstant = 20;

    /// <summary>Of a longer statement no more need be given: what comes then is left out anyway, unless it stands behind a very long comment.</summary>
    public const int MostRead = 20_000;

    /// <summary>One line without comments, cut at about 120 characters. What constants of more than 20 characters contain is left out.</summary>
    public static string Of(string statement)
    {
        var text = new StringBuilder();
        var end = 0;
        foreach (var token in SqlLexer.Read(statement, out _, MaxLength + 2))
        {
            if (token.Start > end && text.Length > 0)
            {
                text.Append(' '); // White space and comments.
            }

            if (token.Kind == SqlTokenKind.Text && token.Length > MaxConstant + 2)
            {
                text.Append("'…'");
            }
            else
            {
                text.Append(statement, token.Start, token.Length);
            }

            end = token.End;
            if (text.Length > MaxLength)
            {
                return text.Replace('\n', ' ').Replace('\r', ' ').ToString(0, MaxLength) + "…";
            }
        }

        return text.Replace('\n', ' ').Replace('\r', ' ').ToString();
    }
}
