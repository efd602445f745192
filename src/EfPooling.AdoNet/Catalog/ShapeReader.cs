namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Reads what SQL texts and the definitions of objects refer to. Only statements whose effects are limited to those of their
/// names and operators are understood; every other statement is opaque.
/// </summary>
internal static class ShapeReader
{
    private static readonly WordTable Queries = new("select values table with");
    private static readonly WordTable Writes = new("insert update delete merge");

    // Their names are not objects that run anything. The effects of the text cover everything else that SET, RESET and DECLARE
    // do.
    private static readonly WordTable Plain = new("show set reset savepoint release rollback begin start commit end abort fetch move close notify lock listen unlisten");

    private static readonly WordTable ExplainWords = new("analyze analyse verbose");
    private static readonly WordTable LockStrengths = new("update share no key");

    /// <summary>A text that a user runs.</summary>
    public static TextShape Text(string sql)
    {
        var tokens = new SqlTokens(sql);
        var shape = new ShapeBuilder(tokens);
        var queries = 0;
        var statements = ReadStatements(tokens, shape, isBody: false, ref queries);
        if (statements == 1 && queries == 1 && !shape.Flags.HasFlag(ShapeFlags.Writes) && !Locks(tokens))
        {
            shape.Flags |= ShapeFlags.Query;
        }

        return shape.Build();
    }

    /// <summary>The body of an SQL function, as it was written.</summary>
    public static TextShape Body(string source)
    {
        var tokens = new SqlTokens(source);
        var shape = new ShapeBuilder(tokens);
        var queries = 0;
        ReadStatements(tokens, shape, isBody: true, ref queries);
        return shape.Build();
    }

    /// <summary>An expression as the server prints it.</summary>
    public static TextShape Definition(string text)
    {
        var tokens = new SqlTokens(text);
        var shape = new ShapeBuilder(tokens);
        shape.Collect(0, tokens.Count, mayBeLocal: false);
        return shape.Build();
    }

    private static int ReadStatements(SqlTokens tokens, ShapeBuilder shape, bool isBody, ref int queries)
    {
        var count = 0;
        for (var start = 0; start < tokens.Count;)
        {
            var end = start;
            while (end < tokens.Count && !tokens.Is(end, ';'))
            {
                end++;
            }

            if (end > start)
            {
                count++;
                ReadStatement(tokens, shape, start, end, isBody, ref queries);
            }

            start = end + 1;
        }

        return count;
    }

    private static void ReadStatement(SqlTokens tokens, ShapeBuilder shape, int start, int end, bool isBody, ref int queries)
    {
        var first = start;
        while (first < end && tokens.Is(first, '('))
        {
            first++;
        }

        if (tokens.IsAny(first, Queries) || (first == start && tokens.IsAny(first, Writes)))
        {
            queries++;
            ReadQuery(tokens, shape, start, end, mayBeLocal: !isBody);
        }
        else if (!isBody && first == start && tokens.Is(start, "EXPLAIN") && InnerOf(tokens, start) is var inner && (tokens.IsAny(inner, Queries) || tokens.IsAny(inner, Writes)))
        {
            ReadQuery(tokens, shape, inner, end, mayBeLocal: true);
        }
        else if (!isBody && first == start && tokens.Is(start, "DECLARE") && CursorQuery(tokens, start, end) is var query && tokens.IsAny(query, Queries))
        {
            ReadQuery(tokens, shape, query, end, mayBeLocal: true);
        }
        else if (isBody || first != start || !tokens.IsAny(start, Plain) || IsSeed(tokens, start, end))
        {
            shape.Flags |= ShapeFlags.Opaque;
        }
    }

    private static void ReadQuery(SqlTokens tokens, ShapeBuilder shape, int start, int end, bool mayBeLocal)
    {
        for (var i = start; i < end; i++)
        {
            if (tokens.Is(i, "INTO") && !tokens.Is(i - 1, "INSERT") && !tokens.Is(i - 1, "MERGE"))
            {
                shape.Flags |= ShapeFlags.Opaque; // It creates a table.
            }
            else if (tokens.IsAny(i, Writes) && !(tokens.Is(i, "UPDATE") && (tokens.Is(i - 1, "FOR") || tokens.Is(i - 1, "KEY"))))
            {
                shape.Flags |= ShapeFlags.Writes;
            }
        }

        shape.Collect(start, end, mayBeLocal);
    }

    // The explained statement. Its options are only words, numbers and constants.
    private static int InnerOf(SqlTokens tokens, int explain)
    {
        var inner = explain + 1;
        if (tokens.Is(inner, '(') && !tokens.Is(inner + 1, '(') && !tokens.IsAny(inner + 1, Queries))
        {
            return tokens.Close(inner) + 1;
        }

        while (tokens.IsAny(inner, ExplainWords))
        {
            inner++;
        }

        return inner;
    }

    // Without HOLD: the cursor ends with its transaction. Its name may be any word.
    private static int CursorQuery(SqlTokens tokens, int start, int end)
    {
        for (var i = start + 2; i < end && !tokens.Is(i, "HOLD"); i++)
        {
            if (tokens.Is(i, "FOR"))
            {
                return i + 1;
            }
        }

        return end;
    }

    // SET LOCAL seed does not end with the transaction.
    private static bool IsSeed(SqlTokens tokens, int start, int end)
    {
        var isSeed = false;
        for (var i = start + 1; i < end && tokens.Is(start, "SET"); i++)
        {
            isSeed |= tokens.IsName(i) && tokens.Name(i).Equals("seed", StringComparison.OrdinalIgnoreCase);
        }

        return isSeed;
    }

    private static bool Locks(SqlTokens tokens)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens.Is(i, "FOR") && tokens.IsAny(i + 1, LockStrengths))
            {
                return true;
            }
        }

        return false;
    }
}
