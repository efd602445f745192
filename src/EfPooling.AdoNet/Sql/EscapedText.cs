using System.Text;

namespace EfPooling.AdoNet.Sql;

/// <summary>Decodes <c>E'…'</c>.</summary>
internal static class EscapedText
{
    /// <param name="sql">The text.</param>
    /// <param name="start">The place after the opening quote.</param>
    /// <param name="end">The place of the closing quote.</param>
    /// <returns>Null if the server refuses it, versions differ, or it is written in bytes beyond ASCII.</returns>
    public static string? Decode(string sql, int start, int end)
    {
        var decoded = new StringBuilder(end - start);
        for (var i = start; i < end; i++)
        {
            if (sql[i] != '\\')
            {
                decoded.Append(sql[i]);
                i += sql[i] == '\'' ? 1 : 0; // The lexer has checked that there are two.
            }
            else if (++i >= end || !TryDecode(sql, ref i, end, decoded))
            {
                return null;
            }
        }

        return decoded.ToString();
    }

    // Leaves i at the last character of the escape sequence.
    private static bool TryDecode(string sql, ref int i, int end, StringBuilder decoded)
    {
        switch (sql[i])
        {
            case >= '0' and <= '7':
                return TryOctal(sql, ref i, end, decoded);
            case 'x' when i + 1 < end && UnicodeText.Hexadecimal(sql, i + 1, 1) >= 0:
                var digits = i + 2 < end && UnicodeText.Hexadecimal(sql, i + 2, 1) >= 0 ? 2 : 1;
                i += digits;
                return TryByte(UnicodeText.Hexadecimal(sql, i - digits + 1, digits), decoded);
            case 'u' or 'U':
                return TryUnicode(sql, ref i, end, decoded);
            case 'v':
                return false; // A vertical tab from PostgreSQL 16 on.
            default:
                decoded.Append(sql[i] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', var c => c });
                return true;
        }
    }

    private static bool TryOctal(string sql, ref int i, int end, StringBuilder decoded)
    {
        var value = 0;
        var first = i;
        while (i < end && i < first + 3 && sql[i] is >= '0' and <= '7')
        {
            value = (value * 8) + (sql[i++] - '0');
        }

        i--;
        return TryByte(value & 0xFF, decoded);
    }

    private static bool TryUnicode(string sql, ref int i, int end, StringBuilder decoded)
    {
        var code = Unit(sql, ref i, end);
        if (code is >= 0xD800 and <= 0xDBFF && i + 2 < end && sql[i + 1] == '\\' && sql[i + 2] is 'u' or 'U')
        {
            i += 2;
            code = Unit(sql, ref i, end) is >= 0xDC00 and <= 0xDFFF and var low ? char.ConvertToUtf32((char)code, (char)low) : -1;
        }

        if (code is < 1 or (>= 0xD800 and <= 0xDFFF) or > 0x10FFFF)
        {
            return false;
        }

        decoded.Append(char.ConvertFromUtf32(code));
        return true;
    }

    private static int Unit(string sql, ref int i, int end)
    {
        var length = sql[i] == 'u' ? 4 : 8;
        if (i + length >= end)
        {
            return -1;
        }

        i += length;
        return UnicodeText.Hexadecimal(sql, i - length + 1, length);
    }

    private static bool TryByte(int value, StringBuilder decoded)
    {
        if (value is < 1 or > 0x7F)
        {
            return false;
        }

        decoded.Append((char)value);
        return true;
    }
}
