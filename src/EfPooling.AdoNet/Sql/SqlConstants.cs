namespace EfPooling.AdoNet.Sql;

/// <summary>Reads the values of constants and names.</summary>
internal static class SqlConstants
{
    private const int MostNameBytes = 63; // of UTF-8; the server truncates longer names

    /// <returns>The name as the server knows it: folded, without quotes, truncated; null if there is no such name.</returns>
    public static string? Name(string sql, SqlToken token)
    {
        if (token.Kind != SqlTokenKind.QuotedWord)
        {
            return CutOff(SqlCharacters.Fold(sql, token.Start, Math.Min(token.Length, MostNameBytes + 1)));
        }

        if (token.Form == TextForm.Unicode)
        {
            Span<char> decoded = stackalloc char[MostNameBytes + 1];
            return TryDecode(sql, token, decoded, out var count) ? CutOff(decoded.Slice(0, count).ToString()) : null;
        }

        var closing = token.Length > 1 && sql[token.End - 1] == '"' ? 1 : 0;
        var length = Math.Min(token.Length - 1 - closing, 2 * (MostNameBytes + 1));
        return CutOff(SqlCharacters.Part(sql, token.Start + 1, length).Replace("\"\"", "\""));
    }

    /// <summary>Whether the server reads it as a name, however long.</summary>
    public static bool IsName(string sql, SqlToken token) => token.Form != TextForm.Unicode || TryDecode(sql, token, [], out _);

    /// <returns>Null if the value is not certain.</returns>
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
                return token.Length < 3 ? null : EscapedText.Decode(sql, token.Start + 2, token.End - 1);
            case TextForm.Unicode:
                return token.Length < 4 ? null : UnicodeText.Decode(sql, token.Start + 3, token.End - 1, '\'', token.Escape);
            case TextForm.Dollar:
                var tag = sql.IndexOf('$', token.Start + 1) + 1 - token.Start;
                return token.Length < 2 * tag ? null : sql.Substring(token.Start + tag, token.Length - (2 * tag));
            default:
                return null;
        }
    }

    private static bool TryDecode(string sql, SqlToken token, Span<char> decoded, out int length)
    {
        const int Prefix = 3;
        var closing = token.Length > Prefix && sql[token.End - 1] == '"' ? 1 : 0;
        return UnicodeText.TryDecode(sql, token.Start + Prefix, token.End - closing, '"', token.Escape, decoded, out length);
    }

    // At a character boundary.
    private static string CutOff(string name)
    {
        var bytes = 0;
        for (var i = 0; i < name.Length && name.Length > MostNameBytes / 3; i++)
        {
            var isPair = char.IsHighSurrogate(name[i]) && i + 1 < name.Length && char.IsLowSurrogate(name[i + 1]);
            bytes += isPair ? 4 : name[i] < 0x80 ? 1 : name[i] < 0x800 ? 2 : 3;
            if (bytes > MostNameBytes)
            {
                return name.Substring(0, i);
            }

            i += isPair ? 1 : 0;
        }

        return name;
    }
}
