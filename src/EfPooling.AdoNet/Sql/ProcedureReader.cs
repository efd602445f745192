namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Reads the body of a PL/pgSQL block: the statements in it, wherever a statement may stand. Dynamic SQL and what it does not know
/// make it unknown. COMMIT and ROLLBACK are harmless here: the procedure ends with its own transaction.
/// </summary>
internal sealed class ProcedureReader(SqlTokens tokens, VerdictBuilder verdict)
{
    private static readonly WordTable BeforeStatement = new("begin then else loop declare exception");

    private static readonly WordTable Expressions = new(
        "if elsif elseif while for foreach case when exit continue return raise assert perform get open fetch move close null commit rollback");

    private int _cases; // one thread only
    private bool _isDeclaring; // one thread only

    public static void Read(string body, VerdictBuilder verdict)
    {
        var tokens = new SqlTokens(body);
        new ProcedureReader(tokens, verdict).Read();
        if (tokens.IsBroken)
        {
            verdict.Add(SessionEffects.Unknown);
        }
    }

    private void Read()
    {
        var isStart = true;
        for (var i = 0; i < tokens.Count; i++)
        {
            if (!isStart)
            {
                isStart = StartsBehind(i);
                continue;
            }

            (i, isStart) = ReadStart(i);
        }
    }

    private bool StartsBehind(int i)
    {
        if (tokens.Is(i, ';'))
        {
            _cases = 0;
            return true;
        }

        if (tokens.Is(i, "CASE"))
        {
            _cases++;
        }
        else if (tokens.Is(i, "END") && _cases > 0)
        {
            _cases--;
        }

        return _cases == 0 && (tokens.Is(i, "THEN") || tokens.Is(i, "ELSE") || tokens.Is(i, "LOOP"));
    }

    // Where to go on, and whether a statement may start there.
    private (int Last, bool IsStart) ReadStart(int i)
    {
        if (tokens.IsOperator(i, "<<") && tokens.IsOperator(i + 2, ">>"))
        {
            return (i + 2, true);
        }

        if (tokens.IsOperator(i, "#"))
        {
            return (i + 2, true); // An option such as #variable_conflict use_column.
        }

        if (tokens.Is(i, ';'))
        {
            return (i, true);
        }

        var isAssignment = IsAssignment(i);
        if (!isAssignment && tokens.IsAny(i, BeforeStatement))
        {
            _isDeclaring = tokens.Is(i, "DECLARE");
            return (i, true);
        }

        var end = EndOfStatement(i);
        if (!isAssignment && tokens.Is(i, "END"))
        {
            return (end - 1, false);
        }

        if (_isDeclaring || isAssignment)
        {
            new ExpressionScanner(tokens, verdict).Scan(i, end);
            return (end - 1, false);
        }

        if (tokens.Is(i, "EXECUTE") || tokens.IsAny(i, Expressions))
        {
            return ReadExpression(i);
        }

        NoteDynamic(i, end);
        new StatementReader(tokens, verdict).Read(i, end);
        return (end - 1, false);
    }

    // Up to the word that starts the next statement.
    private (int Last, bool IsStart) ReadExpression(int start)
    {
        var i = start;
        for (; i < tokens.Count && ((i == start && tokens.Is(i, "CASE")) || !StartsBehind(i)); i++)
        {
            if (tokens.Is(i, "EXECUTE"))
            {
                ReadExecute(i);
            }
        }

        // PERFORM f(), RETURN QUERY and FOR x IN SELECT are queries without their first word or with more words before it.
        new ExpressionScanner(tokens, verdict).Scan(start + 1, i);
        return (i, true);
    }

    private bool IsAssignment(int i)
    {
        var last = tokens.EndOfName(i);
        while (tokens.Is(last + 1, '['))
        {
            last = tokens.EndOfName(tokens.Close(last + 1));
        }

        return tokens.IsName(i) && (tokens.IsOperator(last + 1, ":=") || tokens.IsOperator(last + 1, "="));
    }

    private int EndOfStatement(int i)
    {
        while (i < tokens.Count && !tokens.Is(i, ';'))
        {
            i = tokens.Is(i, '(') ? tokens.Close(i) + 1 : i + 1;
        }

        return Math.Min(i, tokens.Count);
    }

    private void NoteDynamic(int start, int end)
    {
        for (var i = start + 1; i < end; i++)
        {
            if (tokens.Is(i, "EXECUTE"))
            {
                verdict.Add(SessionEffects.Unknown);
            }
        }
    }

    // A constant can be read; anything else may be anything.
    private void ReadExecute(int i)
    {
        var isWhole = tokens.Is(i + 2, ';') || tokens.Is(i + 2, "INTO") || tokens.Is(i + 2, "USING") || tokens.Is(i + 2, "LOOP");
        if (isWhole && tokens.Constant(i + 1) is { } text)
        {
            ScriptReader.Read(text, verdict);
        }
        else
        {
            verdict.Add(SessionEffects.Unknown);
        }
    }
}
