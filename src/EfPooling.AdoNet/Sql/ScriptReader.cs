namespace EfPooling.AdoNet.Sql;

/// <summary>Cuts a text into statements and reads each.</summary>
internal static class ScriptReader
{
    private static readonly WordTable Routines = new("function procedure");

    /// <summary>Reads the effects of the text into the verdict.</summary>
    /// <returns>The statements in order.</returns>
    public static List<SqlStatement> Read(string sql, VerdictBuilder verdict)
    {
        var statements = new List<SqlStatement>();
        if (verdict.Open(sql) is not { } tokens)
        {
            return statements;
        }

        var reader = new StatementReader(tokens, verdict);
        var isWhole = !tokens.IsBroken;
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens.Is(i, ';'))
            {
                continue;
            }

            if (!verdict.TakeStatement())
            {
                isWhole = false;
                break;
            }

            var end = EndOfStatement(tokens, i);
            var before = verdict.Effects;
            verdict.Effects = SessionEffects.None;
            var kind = reader.Read(i, end);
            statements.Add(new SqlStatement(kind, verdict.Effects, tokens[i].Start, tokens[end - 1].End));
            verdict.Effects |= before;
            i = end;
        }

        if (!isWhole)
        {
            verdict.Add(SessionEffects.Unknown);
            statements.Add(new SqlStatement(StatementKind.Unknown, SessionEffects.Unknown, 0, sql.Length));
        }

        verdict.Close();
        return statements;
    }

    // Semicolons do not end a statement within parentheses (CREATE RULE) and within the body of a function in SQL.
    private static int EndOfStatement(SqlTokens tokens, int start)
    {
        var isRoutine = IsRoutine(tokens, start);
        for (var i = start; i < tokens.Count; i++)
        {
            if (tokens.Is(i, '('))
            {
                i = tokens.Close(i);
            }
            else if (tokens.Is(i, ';'))
            {
                return i;
            }
            else if (isRoutine && tokens.Is(i, "BEGIN", "ATOMIC"))
            {
                i = EndOfBody(tokens, i + 2);
                isRoutine = false;
            }
        }

        return tokens.Count;
    }

    private static bool IsRoutine(SqlTokens tokens, int start)
        => tokens.Is(start, "CREATE") && tokens.IsAny(tokens.Is(start + 1, "OR", "REPLACE") ? start + 3 : start + 1, Routines);

    // At a place where a statement of the body could begin, END ends the body. At any other place it belongs to CASE, or is a
    // name.
    private static int EndOfBody(SqlTokens tokens, int start)
    {
        while (start < tokens.Count && !tokens.Is(start, "END"))
        {
            while (start < tokens.Count && !tokens.Is(start, ';'))
            {
                start = tokens.Is(start, '(') ? tokens.Close(start) + 1 : start + 1;
            }

            start++;
        }

        return start;
    }
}
