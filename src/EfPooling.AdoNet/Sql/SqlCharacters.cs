namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Character classes of PostgreSQL's scanner. They differ from .NET's: a no-break space is a letter, and case is ignored for
/// ASCII letters only.
/// </summary>
internal static class SqlCharacters
{
    private const int LongestOnStack = 64;

    private static readonly string[] Single = [.. Enumerable.Range(0, 0x80).Select(c => ((char)c).ToString())];

    /// <summary>A vertical tab counts since PostgreSQL 16; older servers refuse a text with one.</summary>
    public static bool IsSpace(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f' or '\v';

    public static bool IsDigit(char c) => c is >= '0' and <= '9';

    public static bool StartsWord(char c) => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or '_' or >= '\x80';

    public static bool IsOperator(char c) => c is '+' or '-' or '*' or '/' or '<' or '>' or '=' || AllowsSignAtEnd(c);

    /// <summary>Whether an operator with this character may end in a sign.</summary>
    public static bool AllowsSignAtEnd(char c) => c is '~' or '!' or '@' or '#' or '%' or '^' or '&' or '|' or '`' or '?';

    public static char ToLower(char c) => c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c;

    public static char ToUpper(char c) => c is >= 'a' and <= 'z' ? (char)(c & ~0x20) : c;

    public static int EndOfWord(string sql, int start)
    {
        while (start < sql.Length && (StartsWord(sql[start]) || IsDigit(sql[start]) || sql[start] == '$'))
        {
            start++;
        }

        return start;
    }

    /// <summary>Where the name between dollar signs ends.</summary>
    public static int EndOfTag(string sql, int start)
    {
        if (start < sql.Length && IsDigit(sql[start]))
        {
            return start;
        }

        while (start < sql.Length && (StartsWord(sql[start]) || IsDigit(sql[start])))
        {
            start++;
        }

        return start;
    }

    public static int EndOfDigits(string sql, int start)
    {
        while (start < sql.Length && IsDigit(sql[start]))
        {
            start++;
        }

        return start;
    }

    /// <summary>
    /// Older servers read <c>1FROM</c> and <c>1_000</c> as two tokens, newer ones refuse the first. So the number ends before a
    /// letter.
    /// </summary>
    public static int EndOfNumber(string sql, int start)
    {
        if (sql[start] == '0' && At(sql, start + 1) is 'x' or 'X' or 'o' or 'O' or 'b' or 'B')
        {
            var hex = EndOfGroups(sql, start + 2, isHexadecimal: true);
            if (hex > start + 2)
            {
                return hex;
            }
        }

        var end = EndOfGroups(sql, start, isHexadecimal: false);
        if (At(sql, end) == '.' && At(sql, end + 1) != '.')
        {
            end = EndOfGroups(sql, end + 1, isHexadecimal: false);
        }

        if (At(sql, end) is 'e' or 'E')
        {
            var digits = At(sql, end + 1) is '+' or '-' ? end + 2 : end + 1;
            end = IsDigit(At(sql, digits)) ? EndOfGroups(sql, digits, isHexadecimal: false) : end;
        }

        return end;
    }

    public static bool StartsComment(string sql, int at) => (At(sql, at) == '-' && At(sql, at + 1) == '-') || (At(sql, at) == '/' && At(sql, at + 1) == '*');

    public static bool IsWord(string sql, SqlToken token, string word)
        => token.Kind == SqlTokenKind.Word && AreEqual(sql, token.Start, token.Length, word);

    /// <summary>Whether both are equal, ignoring the case of ASCII letters.</summary>
    public static bool AreEqual(string text, int start, int length, string word)
    {
        if (length != word.Length)
        {
            return false;
        }

        for (var i = 0; i < length; i++)
        {
            if (ToLower(text[start + i]) != ToLower(word[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The text in lower case, as the server folds ASCII letters.</summary>
    public static string Fold(string text) => Fold(text, 0, text.Length);

    public static string Fold(string text, int start, int length)
    {
        if (length == 1 && text[start] < Single.Length)
        {
            return Single[ToLower(text[start])];
        }

        var (isFolded, end) = (true, start + length);
        for (var i = start; i < end && isFolded; i++)
        {
            isFolded = text[i] is not (>= 'A' and <= 'Z');
        }

        if (isFolded)
        {
            return text.Substring(start, length); // The text itself if the part is all of it.
        }

        var folded = length <= LongestOnStack ? stackalloc char[length] : new char[length];
        for (var i = 0; i < length; i++)
        {
            folded[i] = ToLower(text[start + i]);
        }

        return folded.ToString();
    }

    /// <summary>A part of a text. Parts of one character are created once.</summary>
    public static string Part(string text, int start, int length)
        => length == 1 && text[start] < Single.Length ? Single[text[start]] : text.Substring(start, length);

    // Digits in groups, with an underscore before each group except the first.
    private static int EndOfGroups(string sql, int start, bool isHexadecimal)
    {
        var end = start;
        while (IsOf(At(sql, end)) || (At(sql, end) == '_' && (end > start || isHexadecimal) && IsOf(At(sql, end + 1))))
        {
            end++;
        }

        return end;

        bool IsOf(char c) => IsDigit(c) || (isHexadecimal && c is (>= 'a' and <= 'f') or (>= 'A' and <= 'F'));
    }

    private static char At(string sql, int at) => at < sql.Length ? sql[at] : '\0';
}
