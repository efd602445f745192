namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Reads the body of a PL/pgSQL block: its statements, at any place where a statement may occur. Dynamic SQL and unknown
/// statements make it unknown. COMMIT and ROLLBACK are harmless here, because the procedure ends with its own transaction.
/// </summary>
internal sealed class ProcedureReader(SqlTokens tokens, VerdictBuilder verdict)
{
    private static readonly WordTable BeforeStatement = new("begin then else loop declare exception");

    private static readonly WordTable Expressions = new(
        "if elsif elseif while for foreach case when exit continue return raise assert perform get open fetch move close null commit rollback");

    private static readonly WordTable BeforeThen = new("if elsif elseif case when");

    private static readonly WordTable BeforeLoop = new("while for foreach");

    private readonly StatementReader _statements = new(tokens, verdict);
    private bool _isDeclaring; // one thread only

    public static void Read(string body, VerdictBuilder verdict)
    {
        if (verdict.Open(body) is not { } tokens)
        {
            return;
        }

        new ProcedureReader(tokens, verdict).Read();
        if (tokens.IsBroken)
        {
            verdict.Add(SessionEffects.Unknown);
        }

        verdict.Close();
    }

    private void Read()
    {
        for (var i = 0; i < tokens.Count;)
        {
            i = ReadStart(i);
        }
    }

    // Where the next statement may start.
    private int ReadStart(int i)
    {
        if (tokens.IsOperator(i, "<<") && tokens.IsOperator(i + 2, ">>"))
        {
            return i + 3;
        }

        if (tokens.IsOperator(i, "#"))
        {
            return i + 3; // An option such as #variable_conflict use_column.
        }

        if (tokens.Is(i, ';'))
        {
            return i + 1;
        }

        var isAssignment = IsAssignment(i);
        if (!isAssignment && tokens.IsAny(i, BeforeStatement))
        {
            _isDeclaring = tokens.Is(i, "DECLARE");
            return i + 1;
        }

        if (!verdict.TakeStatement())
        {
            return tokens.Count;
        }

        if (!isAssignment && !_isDeclaring && (tokens.Is(i, "EXECUTE") || tokens.IsAny(i, Expressions)))
        {
            return ReadExpression(i);
        }

        var end = EndOfStatement(i);
        if (!isAssignment && tokens.Is(i, "END"))
        {
            return end;
        }

        if (_isDeclaring || isAssignment)
        {
            new ExpressionScanner(tokens, verdict).Scan(i, end);
            return end;
        }

        NoteDynamic(i, end);
        _statements.Read(i, end);
        return end;
    }

    // As in the server: the expression ends at the first THEN or LOOP outside parentheses, whatever precedes it, otherwise at the
    // semicolon.
    private int ReadExpression(int start)
    {
        var last = tokens.IsAny(start, BeforeThen) ? "THEN" : tokens.IsAny(start, BeforeLoop) ? "LOOP" : null;
        var i = start;
        while (i < tokens.Count && !tokens.Is(i, ';') && !(last is not null && tokens.Is(i, last)))
        {
            if (tokens.Is(i, "EXECUTE"))
            {
                ReadExecute(i);
            }

            i = tokens.Is(i, '(') || tokens.Is(i, '[') ? tokens.Close(i) + 1 : i + 1;
        }

        // PERFORM f(), RETURN QUERY and FOR x IN SELECT are queries without their first word or with more words before it.
        new ExpressionScanner(tokens, verdict).Scan(start + 1, i);
        return i + 1;
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

    // A constant can be read. Any other expression may be anything.
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
