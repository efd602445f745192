namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Reads <c>UESCAPE '!'</c> after <c>U&amp;"…"</c> and <c>U&amp;'…'</c> as the server does: three tokens are one.
/// </summary>
internal static class UnicodeEscapes
{
    public static bool IsKeyword(string sql, SqlToken token) => SqlCharacters.IsWord(sql, token, "UESCAPE");

    /// <summary>Merges each UESCAPE and its constant into the token before it.</summary>
    /// <returns>False if one is at any other place, or its escape character is not certain.</returns>
    public static bool TryAttach(string sql, List<SqlToken> tokens)
    {
        var kept = 0;
        var canTake = false;
        for (var i = 0; i < tokens.Count; i++)
        {
            if (!IsKeyword(sql, tokens[i]))
            {
                canTake = tokens[i].Form == TextForm.Unicode;
                tokens[kept++] = tokens[i];
            }
            else if (canTake && i + 1 < tokens.Count && EscapeOf(sql, tokens[i + 1]) is { } escape)
            {
                tokens[kept - 1] = tokens[kept - 1].WithEscape(escape);
                canTake = false;
                i++;
            }
            else
            {
                return false;
            }
        }

        tokens.RemoveRange(kept, tokens.Count - kept);
        return true;
    }

    // Any simple constant of one character: '!', E'!', $$!$$. The server refuses N'!' and U&'!'.
    private static char? EscapeOf(string sql, SqlToken token)
        => token.Kind == SqlTokenKind.Text && token.Form is TextForm.Plain or TextForm.Escaped or TextForm.Dollar && sql[token.Start] is not ('n' or 'N')
            && token.Length < 16 && SqlConstants.Value(sql, token) is { Length: 1 } value && MayEscape(value[0])
            ? value[0]
            : null;

    private static bool MayEscape(char c)
        => c is > '\0' and < '\x80' and not ('+' or '\'' or '"') && !SqlCharacters.IsSpace(c) && !SqlCharacters.IsDigit(c)
            && c is not ((>= 'a' and <= 'f') or (>= 'A' and <= 'F'));
}
