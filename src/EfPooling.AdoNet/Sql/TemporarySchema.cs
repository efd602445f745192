namespace EfPooling.AdoNet.Sql;

/// <summary>The schema of temporary objects: <c>pg_temp</c>, or <c>pg_temp_3</c> by its true name.</summary>
internal static class TemporarySchema
{
    private const string Name = "pg_temp";
    private const int LongestPath = 2_000; // Longer than any real path; a longer one counts as containing it.

    public static bool Is(string name)
        => name == Name || (name.StartsWith("pg_temp_", StringComparison.Ordinal) && name.Length > 8 && SqlCharacters.IsDigit(name[8]));

    /// <summary>Whether a token is the name of this schema.</summary>
    public static bool Is(SqlTokens tokens, int index) => tokens.IsName(index) && MayBe(tokens.Text, tokens[index]) && Is(tokens.Name(index));

    /// <summary>Whether a search path contains it, so that a created object may be temporary.</summary>
    public static bool IsIn(string searchPath)
    {
        if (searchPath.Length > LongestPath)
        {
            return true;
        }

        foreach (var schema in searchPath.Split(','))
        {
            if (Is(SqlCharacters.Fold(schema.Trim(' ', '\t', '\n', '\r', '\f', '\v', '"'))))
            {
                return true;
            }
        }

        return false;
    }

    // Most names are not, and this check creates no strings for them.
    private static bool MayBe(string text, SqlToken token)
    {
        var start = token.Kind == SqlTokenKind.QuotedWord ? token.Start + 1 : token.Start;
        return token.Form == TextForm.Unicode
            || (token.End >= start + Name.Length && SqlCharacters.AreEqual(text, start, Name.Length, Name));
    }
}
