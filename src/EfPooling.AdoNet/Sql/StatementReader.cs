namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Reads one statement: its kind, and its effects into the verdict. A statement without a known form is unknown, never harmless.
/// </summary>
internal sealed class StatementReader(SqlTokens tokens, VerdictBuilder verdict)
{
    private readonly SettingsReader _settings = new(tokens, verdict);

    /// <param name="start">The first token of the statement.</param>
    /// <param name="end">The token after its last one.</param>
    public StatementKind Read(int start, int end)
    {
        if (tokens.Is(start, '('))
        {
            return ReadParenthesised(start, end);
        }

        if (!tokens.Is(start, SqlTokenKind.Word))
        {
            return Unknown();
        }

        if (tokens.IsAny(start, SqlWords.Utilities))
        {
            NoteTemporarySchemas(start, end);
            return StatementKind.Utility;
        }

        return tokens.Keyword(start) switch
        {
            "select" or "values" or "table" => Query(start, end, StatementKind.Select),
            "with" => Query(start, end, KindBehindWith(start, end)),
            "insert" => Query(start, end, StatementKind.Insert),
            "update" => Query(start, end, StatementKind.Update),
            "delete" => Query(start, end, StatementKind.Delete),
            "merge" => Query(start, end, StatementKind.Merge),
            "set" => _settings.ReadSet(start, end),
            "reset" => _settings.ReadReset(start),
            "show" => StatementKind.Show,
            "explain" => ReadExplain(start, end),
            "copy" => ReadCopy(start, end),
            "call" => ReadCall(start, end),
            "do" => ReadDo(start, end),
            "create" => new DefinitionReader(tokens, verdict).ReadCreate(start, end),
            "alter" => new DefinitionReader(tokens, verdict).ReadAlter(start, end),
            "drop" => new DefinitionReader(tokens, verdict).ReadDrop(start, end),
            "begin" or "start" or "commit" or "end" or "abort" => Does(SessionEffects.TransactionControl, StatementKind.Transaction),
            "rollback" => ReadRollback(start),
            "savepoint" or "release" => StatementKind.Savepoint,
            "prepare" => tokens.Is(start + 1, "TRANSACTION") && tokens.Is(start + 2, SqlTokenKind.Text)
                ? Does(SessionEffects.TransactionControl, StatementKind.PrepareTransaction)
                : Does(SessionEffects.PreparedStatement, StatementKind.Prepare),
            "execute" => ReadExecute(start, end),
            "deallocate" => Does(SessionEffects.PreparedStatement, StatementKind.Prepare),
            "declare" => ReadDeclare(start, end),
            "fetch" or "move" or "close" => StatementKind.Cursor,
            "listen" or "unlisten" => Does(SessionEffects.Listen, StatementKind.Listen),
            "notify" => StatementKind.Notify,
            "discard" => Does(SessionEffects.Discard, StatementKind.Discard),
            "load" => Does(SessionEffects.Library, StatementKind.Load),
            _ => Unknown(),
        };
    }

    private StatementKind Unknown() => Does(SessionEffects.Unknown, StatementKind.Unknown);

    private StatementKind Does(SessionEffects effects, StatementKind kind)
    {
        verdict.Add(effects);
        return kind;
    }

    private StatementKind Query(int start, int end, StatementKind kind)
    {
        if (kind == StatementKind.Unknown)
        {
            return Unknown();
        }

        verdict.HasInto = false;
        new ExpressionScanner(tokens, verdict).Scan(start, end);
        return kind == StatementKind.Select && verdict.HasInto ? StatementKind.SelectInto : kind;
    }

    private StatementKind ReadParenthesised(int start, int end)
    {
        var first = start;
        while (tokens.Is(first, '('))
        {
            first++;
        }

        return Query(start, end, tokens.IsAny(first, SqlWords.Queries) ? StatementKind.Select : StatementKind.Unknown);
    }

    // After the common table expressions, whose names may be any words.
    private StatementKind KindBehindWith(int start, int end)
    {
        for (var i = start + 1; i < end; i++)
        {
            if (tokens.Is(i, '('))
            {
                i = tokens.Close(i);
                if (tokens.Is(i + 1, '('))
                {
                    return StatementKind.Select;
                }

                var kind = i + 1 >= end || !tokens.Is(i + 1, SqlTokenKind.Word) ? StatementKind.None : KindOf(tokens.Keyword(i + 1));
                if (kind != StatementKind.None)
                {
                    return kind;
                }
            }
            else if (i > start + 1 && tokens.Is(i, "SELECT"))
            {
                return StatementKind.Select; // After SEARCH or CYCLE.
            }
        }

        return StatementKind.Unknown;
    }

    private static StatementKind KindOf(string word) => word switch
    {
        "select" or "values" or "table" => StatementKind.Select,
        "insert" => StatementKind.Insert,
        "update" => StatementKind.Update,
        "delete" => StatementKind.Delete,
        "merge" => StatementKind.Merge,
        _ => StatementKind.None,
    };

    // ROLLBACK TO needs a transaction, and leaves it open.
    private StatementKind ReadRollback(int start)
    {
        var i = tokens.Is(start + 1, "WORK") || tokens.Is(start + 1, "TRANSACTION") ? start + 2 : start + 1;
        return tokens.Is(i, "TO") ? StatementKind.Savepoint : Does(SessionEffects.TransactionControl, StatementKind.Transaction);
    }

    private StatementKind ReadExecute(int start, int end)
    {
        new ExpressionScanner(tokens, verdict).Scan(start + 2, end);
        return Does(SessionEffects.PreparedStatement, StatementKind.Prepare);
    }

    private StatementKind ReadCall(int start, int end)
    {
        new ExpressionScanner(tokens, verdict).Scan(start + 1, end);
        verdict.Add(SessionEffects.Unknown);
        verdict.AdvancesSequence = true;
        return StatementKind.Call;
    }

    private StatementKind ReadDeclare(int start, int end)
    {
        var query = start + 1;
        while (query < end && !tokens.Is(query, "FOR"))
        {
            if (tokens.Is(query, "WITH", "HOLD"))
            {
                verdict.Add(SessionEffects.HoldCursor);
            }

            query++;
        }

        if (query + 1 >= end)
        {
            return Unknown();
        }

        new ExpressionScanner(tokens, verdict).Scan(query + 1, end);
        return StatementKind.Declare;
    }

    private StatementKind ReadCopy(int start, int end)
    {
        NoteTemporarySchemas(start, end);
        var where = start + 1;
        while (where < end && !tokens.Is(where, "WHERE"))
        {
            where++;
        }

        var (from, to) = tokens.Is(start + 1, '(') ? (start + 1, tokens.Close(start + 1) + 1) : (where, end);
        new ExpressionScanner(tokens, verdict).Scan(from, to);
        verdict.AdvancesSequence = true;
        return StatementKind.Copy;
    }

    private StatementKind ReadExplain(int start, int end)
    {
        var inner = start + 1;
        var runs = false;
        if (tokens.Is(inner, '(') && !tokens.Is(inner + 1, '(') && !tokens.IsAny(inner + 1, SqlWords.Queries))
        {
            var close = tokens.Close(inner);
            for (var i = inner; i < close; i++)
            {
                runs |= (tokens.Is(i, "ANALYZE") || tokens.Is(i, "ANALYSE") || (tokens.Is(i, SqlTokenKind.QuotedWord) && tokens.Name(i) == "analyze")) && !IsOff(i + 1);
            }

            inner = close + 1;
        }

        for (; tokens.Is(inner, "ANALYZE") || tokens.Is(inner, "ANALYSE") || tokens.Is(inner, "VERBOSE"); inner++)
        {
            runs |= !tokens.Is(inner, "VERBOSE");
        }

        if (inner >= end || !(tokens.Is(inner, '(') || tokens.IsAny(inner, SqlWords.Explainable)))
        {
            return Unknown();
        }

        var rest = new VerdictBuilder();
        var kind = new StatementReader(tokens, runs ? verdict : rest).Read(inner, end);
        verdict.Add(runs ? SessionEffects.None : rest.Effects & SessionEffects.PreparedStatement);
        verdict.DoesMoreThanRead = true;
        return kind == StatementKind.Unknown ? Unknown() : StatementKind.Explain;
    }

    private bool IsOff(int i) => tokens.Is(i, "FALSE") || tokens.Is(i, "OFF") || (tokens.Is(i, SqlTokenKind.Number) && tokens.Raw(i) == "0");

    private StatementKind ReadDo(int start, int end)
    {
        string? body = null;
        var isProcedural = true;
        for (var i = start + 1; i < end; i++)
        {
            if (tokens.Is(i, SqlTokenKind.Text))
            {
                body = tokens.Constant(i);
            }
            else if (tokens.Is(i, "LANGUAGE"))
            {
                isProcedural = tokens.IsName(++i) ? tokens.Name(i) == "plpgsql" : tokens.Constant(i) == "plpgsql";
            }
        }

        if (body is null || !isProcedural)
        {
            verdict.Add(SessionEffects.Unknown);
        }
        else
        {
            ProcedureReader.Read(body, verdict);
        }

        return StatementKind.Do;
    }

    private void NoteTemporarySchemas(int start, int end)
    {
        for (var i = start; i < end; i++)
        {
            if (TemporarySchema.Is(tokens, i))
            {
                verdict.Add(SessionEffects.TemporaryObject);
            }
        }
    }
}
