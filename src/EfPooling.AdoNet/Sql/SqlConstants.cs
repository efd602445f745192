using System.Text;

namespace EfPooling.AdoNet.Sql;

/// <summary>Reads the values of constants and names.</summary>
internal static class SqlConstants
{
    /// <returns>Null if there is no such name.</returns>
    public static string? Name(string sql, SqlToken token)
    {
        if (token.Kind != SqlTokenKind.QuotedWord)
        {
            return Fold(sql, token.Start, token.Length);
        }

        var prefix = token.Form == TextForm.Unicode ? 3 : 1;
        var closing = token.Length > prefix && sql[token.End - 1] == '"' ? 1 : 0;
        var inner = sql.Substring(token.Start + prefix, token.Length - prefix - closing).Replace("\"\"", "\"");
        return token.Form == TextForm.Unicode ? DecodeUnicode(inner, token.Escape) : inner;
    }

    /// <returns>Null if the value is not simply what stands between the quotes.</returns>
    public static string? Value(string sql, SqlToken token)
    {
        if (token.IsContinued)
        {
            return null;
        }

        switch (token.Form)
        {
            case TextForm.Plain:
                var quote = sql.IndexOf('\'', token.Start);
                return token.End - quote < 2 ? null : sql.Substring(quote + 1, token.End - quote - 2).Replace("''", "'");
            case TextForm.Escaped:
                return token.Length < 3 ? null : DecodeEscapes(sql.Substring(token.Start + 2, token.Length - 3).Replace("''", "'"));
            case TextForm.Dollar:
                var tag = sql.IndexOf('$', token.Start + 1) + 1 - token.Start;
                return token.Length < 2 * tag ? null : sql.Substring(token.Start + tag, token.Length - (2 * tag));
            default:
                return null;
        }
    }

    // PostgreSQL folds the letters of ASCII only.
    private static string Fold(string sql, int start, int length)
    {
        var folded = sql.ToCharArray(start, length);
        for (var i = 0; i < folded.Length; i++)
        {
            folded[i] = folded[i] is >= 'A' and <= 'Z' ? (char)(folded[i] | 0x20) : folded[i];
        }

        return new string(folded);
    }

    private static string? DecodeUnicode(string text, char escape)
    {
        var decoded = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != escape)
            {
                decoded.Append(text[i]);
                continue;
            }

            if (i + 1 < text.Length && text[i + 1] == escape)
            {
                decoded.Append(escape);
                i++;
                continue;
            }

            var isLong = i + 1 < text.Length && text[i + 1] == '+';
            var (start, length) = isLong ? (i + 2, 6) : (i + 1, 4);
            if (start + length > text.Length || Hexadecimal(text, start, length) is not (>= 1 and <= 0xFFFF and var code))
            {
                return null; // Nobody spells a name that matters here beyond the basic plane.
            }

            decoded.Append((char)code);
            i = start + length - 1;
        }

        return decoded.ToString();
    }

    private static int Hexadecimal(string text, int start, int length)
    {
        var value = 0;
        for (var i = start; i < start + length; i++)
        {
            var digit = "0123456789abcdef".IndexOf(char.ToLowerInvariant(text[i]));
            if (digit < 0)
            {
                return -1;
            }

            value = (value * 16) + digit;
        }

        return value;
    }

    private static string? DecodeEscapes(string text)
    {
        var decoded = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && ++i < text.Length)
            {
                if (text[i] is (>= '0' and <= '9') or 'x' or 'u' or 'U')
                {
                    return null;
                }

                decoded.Append(text[i] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', var c => c });
            }
            else if (i < text.Length)
            {
                decoded.Append(text[i]);
            }
        }

        return decoded.ToString();
    }
}
