namespace EfPooling.AdoNet.Sql;

/// <summary>Cuts a text into statements and reads each.</summary>
internal static class ScriptReader
{
    /// <summary>Reads what the text does into the verdict.</summary>
    /// <returns>The statements in order.</returns>
    public static List<SqlStatement> Read(string sql, VerdictBuilder verdict)
    {
        var tokens = new SqlTokens(sql);
        var statements = new List<SqlStatement>();
        var reader = new StatementReader(tokens, verdict);
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens.Is(i, ';'))
            {
                continue;
            }

            var end = EndOfStatement(tokens, i);
            var before = verdict.Effects;
            verdict.Effects = SessionEffects.None;
            var kind = reader.Read(i, end);
            statements.Add(new SqlStatement(kind, verdict.Effects, tokens[i].Start, tokens[end - 1].End));
            verdict.Effects |= before;
            i = end;
        }

        if (tokens.IsBroken)
        {
            verdict.Add(SessionEffects.Unknown);
            statements.Add(new SqlStatement(StatementKind.Unknown, SessionEffects.Unknown, 0, sql.Length));
        }

        return statements;
    }

    // Semicolons do not end a statement within parentheses (CREATE RULE) and within the body of a function in SQL.
    private static int EndOfStatement(SqlTokens tokens, int start)
    {
        var blocks = 0;
        for (var i = start; i < tokens.Count; i++)
        {
            if (tokens.Is(i, '('))
            {
                i = tokens.Close(i);
            }
            else if (tokens.Is(i, "BEGIN", "ATOMIC") && tokens.Is(start, "CREATE"))
            {
                blocks++;
            }
            else if (blocks > 0 && (tokens.Is(i, "CASE") || tokens.Is(i, "END")))
            {
                blocks += tokens.Is(i, "CASE") ? 1 : -1;
            }
            else if (blocks == 0 && tokens.Is(i, ';'))
            {
                return i;
            }
        }

        return tokens.Count;
    }
}
