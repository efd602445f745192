namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Walks through queries and expressions and notes what they call, what they read, and their effects on the session. Knows just
/// enough of the grammar to tell calls from other names before a parenthesis: table aliases, column lists, common table
/// expressions.
/// </summary>
internal sealed class ExpressionScanner(SqlTokens tokens, VerdictBuilder verdict)
{
    private readonly Stack<QueryPlace> _outer = new();
    private HashSet<string>? _local; // names of common table expressions
    private HashSet<SqlName>? _tables; // before it is known which of them are local
    private SettingsReader? _settings;
    private QueryPlace _place; // one thread only
    private int _label = -1; // the last name after AS: never a keyword, whatever it says
    private int _tableEnd = -1; // where the last table ended and an alias may follow

    public void Scan(int start, int end)
    {
        for (var i = start; i < end && i < tokens.Count; i++)
        {
            if (i > start && tokens.Is(i - 1, "AS") && !tokens.Is(i - 2, '.') && _label != i - 1 && _place != QueryPlace.CommonTableBody)
            {
                _label = i;
            }

            i = tokens[i].Kind switch
            {
                SqlTokenKind.Word or SqlTokenKind.QuotedWord => OnName(i),
                SqlTokenKind.Punctuation => OnPunctuation(i),
                _ => i,
            };
        }

        foreach (var table in _tables ?? [])
        {
            if (table.Schema is not null || _local?.Contains(table.Name) != true)
            {
                verdict.AddTable(table);
            }
        }
    }

    private int OnPunctuation(int i)
    {
        switch (tokens.Text[tokens[i].Start])
        {
            case '(' or '[':
                Enter(i, isCall: false);
                break;
            case ')' or ']':
                _place = _outer.Count > 0 ? _outer.Pop() : QueryPlace.Expression;
                _tableEnd = _place == QueryPlace.AfterTable ? i : _tableEnd;
                break;
            case ',':
                _place = _place switch
                {
                    QueryPlace.AfterTable or QueryPlace.JoinCondition => QueryPlace.Table,
                    QueryPlace.AfterCommonTable => QueryPlace.CommonTable,
                    _ => _place,
                };
                break;
            case ';':
                _outer.Clear();
                _place = QueryPlace.Expression;
                break;
        }

        return i;
    }

    private void Enter(int i, bool isCall)
    {
        _outer.Push(_place switch
        {
            QueryPlace.Table => QueryPlace.AfterTable,
            QueryPlace.CommonTableBody => QueryPlace.AfterCommonTable,
            _ => _place,
        });
        _place = tokens.IsAny(i - 1, SqlWords.CallsWithFrom) ? QueryPlace.ExpressionWithFrom
            : _place == QueryPlace.Table && !isCall ? QueryPlace.Table
            : QueryPlace.Expression;
    }

    private int OnName(int i)
    {
        var last = tokens.EndOfName(i);
        var isWord = last == i && tokens.Is(i, SqlTokenKind.Word) && !tokens.Is(i - 1, '.') && _label != i;
        if (_place == QueryPlace.CommonTable && !tokens.Is(i, "RECURSIVE"))
        {
            return OnCommonTable(i);
        }

        if (isWord && OnKeyword(i))
        {
            return i;
        }

        NoteTemporary(i, last);
        if (!tokens.Is(last + 1, '('))
        {
            NoteRelation(i, last);
            return last;
        }

        if (IsCall(i, last, isWord))
        {
            OnCall(i, last);
        }
        else if (tokens.Is(i - 1, "INTO"))
        {
            NoteRelation(i, last); // Its columns follow.
        }

        Enter(last + 1, isCall: true);
        return last + 1;
    }

    private int OnCommonTable(int i)
    {
        (_local ??= []).Add(tokens.Name(i));
        _place = QueryPlace.CommonTableBody;
        return tokens.Is(i + 1, '(') ? tokens.Close(i + 1) : i;
    }

    // Whether the word needs no further reading.
    private bool OnKeyword(int i)
    {
        if (tokens.Is(i, "FROM"))
        {
            if (_place != QueryPlace.ExpressionWithFrom && !(tokens.Is(i - 1, "DISTINCT") && (tokens.Is(i - 2, "IS") || tokens.Is(i - 2, "NOT"))))
            {
                _place = QueryPlace.Table;
            }

            return true;
        }

        if (tokens.Is(i, "WITH"))
        {
            _place = IsCommonTable(i + 1) ? QueryPlace.CommonTable : _place;
            return true;
        }

        NoteClauses(i);
        if (tokens.IsAny(i, SqlWords.AfterFrom))
        {
            _place = QueryPlace.Expression;
        }
        else if (tokens.Is(i, "TABLE"))
        {
            _place = QueryPlace.Table;
        }
        else if (_place is QueryPlace.AfterTable or QueryPlace.JoinCondition or QueryPlace.Table)
        {
            OnWordOfFrom(i);
        }

        return (tokens.Is(i, "ROWS", "FROM") && _place == QueryPlace.Table)
            || (!tokens.Is(i + 1, '(') && tokens.IsAny(i, SqlWords.NeverFunctions))
            || (tokens.IsAny(i, SqlWords.BeforeTable) && _place == QueryPlace.Table)
            || (tokens.Is(i, "RECURSIVE") && _place == QueryPlace.CommonTable);
    }

    private void OnWordOfFrom(int i)
    {
        if (tokens.Is(i, "ON"))
        {
            _place = QueryPlace.JoinCondition;
        }
        else if (tokens.IsAny(i, SqlWords.BeforeTable) || (tokens.Is(i, "USING") && !tokens.Is(i + 1, '(')))
        {
            _place = QueryPlace.Table;
        }
        else if (tokens.IsAny(i, SqlWords.Queries))
        {
            _place = QueryPlace.Expression;
        }
    }

    private bool IsCommonTable(int i)
    {
        i = tokens.Is(i, "RECURSIVE") && !tokens.Is(i + 1, "AS") ? i + 1 : i;
        return tokens.IsName(i)
            && (tokens.Is(i + 1, '(')
                ? tokens.Is(tokens.Close(i + 1) + 1, "AS")
                : tokens.Is(i + 1, "AS") && (tokens.Is(i + 2, '(') || tokens.Is(i + 2, "NOT") || tokens.Is(i + 2, "MATERIALIZED")));
    }

    private void NoteClauses(int i)
    {
        if (tokens.IsAny(i, SqlWords.Writing))
        {
            verdict.DoesMoreThanRead = true;
            _place = _place == QueryPlace.AfterCommonTable ? QueryPlace.Expression : _place;
            verdict.AdvancesSequence |= tokens.Is(i, "INSERT") || tokens.Is(i, "MERGE");
            var table = tokens.EndOfName(tokens.Is(i + 1, "ONLY") ? i + 2 : i + 1);
            if (tokens.Is(i, "UPDATE") && tokens.IsName(table) && tokens.Name(table) == "pg_settings")
            {
                verdict.Add(SessionEffects.UnnamedSettings);
            }
        }
        else if (tokens.Is(i, "FOR") && (tokens.Is(i + 1, "UPDATE") || tokens.Is(i + 1, "SHARE") || tokens.Is(i + 1, "NO") || tokens.Is(i + 1, "KEY")))
        {
            verdict.DoesMoreThanRead = true;
        }
        else if (tokens.Is(i, "INTO"))
        {
            verdict.DoesMoreThanRead = true;
            if (!tokens.Is(i - 1, "INSERT") && !tokens.Is(i - 1, "MERGE"))
            {
                verdict.HasInto = true;
                var kind = tokens.Is(i + 1, "LOCAL") || tokens.Is(i + 1, "GLOBAL") ? i + 2 : i + 1;
                if (tokens.Is(kind, "TEMP") || tokens.Is(kind, "TEMPORARY"))
                {
                    verdict.Add(SessionEffects.TemporaryObject);
                }
            }
        }
    }

    private void NoteTemporary(int first, int last)
    {
        for (var i = first; i <= last; i += 2)
        {
            if (TemporarySchema.Is(tokens, i))
            {
                verdict.Add(SessionEffects.TemporaryObject);
            }
        }
    }

    private void NoteRelation(int first, int last)
    {
        if (_place == QueryPlace.Table)
        {
            (_tables ??= []).Add(NameAt(first, last));
            _tableEnd = last;
            _place = QueryPlace.AfterTable;
        }
    }

    private SqlName NameAt(int first, int last)
        => new(last > first ? tokens.Name(last - 2) : tokens.Is(first - 1, '.') ? "" : null, tokens.Name(last));

    private bool IsCall(int first, int last, bool isWord)
    {
        if (tokens.Is(first - 1, "AS") || tokens.Is(first - 1, "INTO") || tokens.Is(first - 1, "COPY") || tokens.IsOperator(first - 1, "::"))
        {
            return false; // A type, an alias or a table with its columns.
        }

        if (_place == QueryPlace.AfterTable && (_tableEnd == first - 1 || tokens.Is(first - 2, "WITH", "ORDINALITY")))
        {
            return false; // An alias with its columns.
        }

        return !isWord || !(tokens.IsAny(first, SqlWords.NeverFunctions) || IsPartOfClause(first));
    }

    // Words that may also be names of functions, at places where they are not.
    private bool IsPartOfClause(int i)
    {
        var previous = i - 1;
        return tokens.Keyword(i) switch
        {
            "by" => tokens.Is(previous, "GROUP") || tokens.Is(previous, "ORDER") || tokens.Is(previous, "PARTITION"),
            "rollup" or "cube" => tokens.Is(previous, "BY"),
            "sets" => tokens.Is(previous, "GROUPING"),
            "conflict" => tokens.Is(previous, "ON"),
            "over" or "filter" => tokens.Is(previous, ')'),
            "materialized" => _place == QueryPlace.CommonTableBody,
            "set" => tokens.IsName(previous) && !tokens.Is(previous, "SELECT"),
            "insert" => tokens.Is(previous, "THEN"),
            "first" or "next" => tokens.Is(previous, "FETCH"),
            "zone" => tokens.Is(previous, "TIME"),
            "join" => _place == QueryPlace.Table,
            "operator" => tokens.Is(tokens.Close(i + 1) - 1, SqlTokenKind.Operator),
            _ => false,
        };
    }

    private void OnCall(int first, int last)
    {
        var name = NameAt(first, last);
        verdict.AddFunction(name);
        if (name.Name == "set_config")
        {
            (_settings ??= new SettingsReader(tokens, verdict)).ReadSetConfig(last + 1);
            return;
        }

        var effects = SessionFunctions.EffectsOf(name.Name);
        verdict.Add(verdict.AdvancesSequence ? effects & ~SessionEffects.SequenceValue : effects);
        verdict.AdvancesSequence |= name.Name is "nextval" or "setval";
    }
}
