namespace EfPooling.AdoNet.Sql;

/// <summary>Decodes <c>U&amp;"…"</c> and <c>U&amp;'…'</c>.</summary>
internal static class UnicodeText
{
    /// <returns>Null if the server refuses it.</returns>
    /// <inheritdoc cref="TryDecode"/>
    public static string? Decode(string sql, int start, int end, char quote, char escape)
    {
        var decoded = new char[end - start];
        return TryDecode(sql, start, end, quote, escape, decoded, out var length) ? new string(decoded, 0, length) : null;
    }

    /// <param name="sql">The text.</param>
    /// <param name="start">The place after the opening quote.</param>
    /// <param name="end">The place of the closing quote.</param>
    /// <param name="quote">Stands for itself when doubled.</param>
    /// <param name="escape">Before four digits, before + and six digits, or doubled.</param>
    /// <param name="decoded">Receives as much as fits; the rest is only checked.</param>
    /// <param name="length">The number of characters received.</param>
    /// <returns>False if the server refuses it.</returns>
    public static bool TryDecode(string sql, int start, int end, char quote, char escape, Span<char> decoded, out int length)
    {
        length = 0;
        var high = 0; // the first half of a pair that waits for its second
        for (var i = start; i < end; i++)
        {
            if (sql[i] != escape || (i + 1 < end && sql[i + 1] == escape))
            {
                if (high != 0)
                {
                    return false;
                }

                Append(sql[i], decoded, ref length);
                i += sql[i] == escape || sql[i] == quote ? 1 : 0; // The lexer has checked that there are two quotes.
                continue;
            }

            var (first, digits) = i + 1 < end && sql[i + 1] == '+' ? (i + 2, 6) : (i + 1, 4);
            var code = first + digits > end ? -1 : Hexadecimal(sql, first, digits);
            if (code is < 1 or > 0x10FFFF || high != 0 != code is >= 0xDC00 and <= 0xDFFF)
            {
                return false;
            }

            i = first + digits - 1;
            var isHigh = code is >= 0xD800 and <= 0xDBFF;
            AppendCode(isHigh ? 0 : high == 0 ? code : char.ConvertToUtf32((char)high, (char)code), decoded, ref length);
            high = isHigh ? code : 0;
        }

        return high == 0;
    }

    /// <returns>The value of this many digits; -1 if a character is not a digit.</returns>
    public static int Hexadecimal(string text, int start, int length)
    {
        var value = 0;
        for (var i = start; i < start + length; i++)
        {
            var digit = "0123456789abcdef".IndexOf(SqlCharacters.ToLower(text[i]));
            if (digit < 0 || value > int.MaxValue / 16)
            {
                return -1;
            }

            value = (value * 16) + digit;
        }

        return value;
    }

    // Zero is not a character.
    private static void AppendCode(int code, Span<char> decoded, ref int length)
    {
        if (code > 0xFFFF)
        {
            Append((char)(0xD800 + ((code - 0x10000) >> 10)), decoded, ref length);
            Append((char)(0xDC00 + ((code - 0x10000) & 0x3FF)), decoded, ref length);
        }
        else if (code > 0)
        {
            Append((char)code, decoded, ref length);
        }
    }

    private static void Append(char c, Span<char> decoded, ref int length)
    {
        if (length < decoded.Length)
        {
            decoded[length++] = c;
        }
    }
}
