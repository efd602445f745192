namespace EfPooling.AdoNet.Sql;

/// <summary>Character classes of PostgreSQL's scanner. They are not .NET's: a no-break space is a letter there.</summary>
internal static class SqlCharacters
{
    private const string OperatorsThatMayEndInSign = "~!@#%^&|`?";

    public static bool IsSpace(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f' or '\v';

    public static bool IsDigit(char c) => c is >= '0' and <= '9';

    public static bool StartsWord(char c) => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or '_' or >= '\x80';

    public static bool IsOperator(char c) => c is '+' or '-' or '*' or '/' or '<' or '>' or '=' or '~' or '!' or '@' or '#' or '%' or '^' or '&' or '|' or '`' or '?';

    public static int EndOfWord(string sql, int start) => End(sql, start, c => StartsWord(c) || IsDigit(c) || c == '$');

    public static int EndOfTag(string sql, int start) => start < sql.Length && IsDigit(sql[start]) ? start : End(sql, start, c => StartsWord(c) || IsDigit(c));

    public static int EndOfDigits(string sql, int start) => End(sql, start, c => IsDigit(c) || c == '_');

    /// <summary>Older servers read <c>1FROM</c> as two tokens, newer ones refuse it; so the number ends before a letter.</summary>
    public static int EndOfNumber(string sql, int start)
    {
        if (sql[start] == '0' && start + 2 < sql.Length && sql[start + 1] is 'x' or 'X' or 'o' or 'O' or 'b' or 'B')
        {
            var hex = End(sql, start + 2, c => IsDigit(c) || c is (>= 'a' and <= 'f') or (>= 'A' and <= 'F') or '_');
            if (hex > start + 2)
            {
                return hex;
            }
        }

        var end = EndOfDigits(sql, start);
        if (At(sql, end) == '.' && At(sql, end + 1) != '.')
        {
            end = EndOfDigits(sql, end + 1);
        }

        if (At(sql, end) is 'e' or 'E')
        {
            var digits = At(sql, end + 1) is '+' or '-' ? end + 2 : end + 1;
            end = IsDigit(At(sql, digits)) ? EndOfDigits(sql, digits) : end;
        }

        return end;
    }

    /// <summary>An operator ends before a comment, and before a sign at its end unless it has a character that allows one there.</summary>
    public static int EndOfOperator(string sql, int start)
    {
        var end = start + 1;
        while (IsOperator(At(sql, end)) && !(At(sql, end) is '-' or '/' && StartsComment(sql, end)))
        {
            end++;
        }

        while (end > start + 1 && sql[end - 1] is '+' or '-' && sql.IndexOfAny(OperatorsThatMayEndInSign.ToCharArray(), start, end - 1 - start) < 0)
        {
            end--;
        }

        return end;
    }

    public static bool IsWord(string sql, SqlToken token, string word)
        => token.Kind == SqlTokenKind.Word && token.Length == word.Length
            && string.Compare(sql, token.Start, word, 0, word.Length, StringComparison.OrdinalIgnoreCase) == 0;

    private static bool StartsComment(string sql, int at) => (sql[at] == '-' && At(sql, at + 1) == '-') || (sql[at] == '/' && At(sql, at + 1) == '*');

    private static char At(string sql, int at) => at < sql.Length ? sql[at] : '\0';

    private static int End(string sql, int start, Func<char, bool> belongs)
    {
        while (start < sql.Length && belongs(sql[start]))
        {
            start++;
        }

        return start;
    }
}
