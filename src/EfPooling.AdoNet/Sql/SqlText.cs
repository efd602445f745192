using System.Text;

namespace EfPooling.AdoNet.Sql;

/// <summary>SQL in messages, logs and diagnostics.</summary>
internal static class SqlText
{
    private const int MaxLength = 120;
    private const int MaxConstant = 20;
    private const int MostRead = 20_000; // The rest is cut off anyway, unless a very long comment precedes it.

    /// <summary>
    /// One line without comments, and so without the tags before the SQL, cut at about 120 characters. The contents of constants
    /// of more than 20 characters are left out.
    /// </summary>
    /// <returns>Empty if the text consists of comments only.</returns>
    public static string Shorten(string sql)
    {
        var statement = sql.Length > MostRead ? sql.Substring(0, MostRead) : sql;
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

    /// <inheritdoc cref="Shorten"/>
    /// <returns><c>null</c> if the text consists of comments only.</returns>
    public static string? ShortenOrNull(string? sql) => sql is not null && Shorten(sql) is { Length: > 0 } line ? line : null;
}
