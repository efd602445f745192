namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Reads which things of the session the statements of a text make, use and end, to show that nothing is left. Only forms that
/// are certain are read; for every other form the answer is unknown.
/// </summary>
internal sealed class SessionStepReader
{
    /// <summary>The effects that steps can account for.</summary>
    public const SessionEffects Known
        = SessionEffects.TransactionControl | SessionEffects.Listen | SessionEffects.TemporaryObject | SessionEffects.PreparedStatement | SessionEffects.SessionLock;

    private readonly SqlTokens _tokens;
    private readonly List<SessionStep> _steps = [];

    private SessionStepReader(SqlTokens tokens) => _tokens = tokens;

    /// <summary>The steps of a text in order.</summary>
    /// <returns>Null if a statement may do more than its steps say.</returns>
    public static List<SessionStep>? Read(SqlVerdict verdict)
    {
        var tokens = new SqlTokens(verdict.Text);
        var reader = new SessionStepReader(tokens);
        var start = 0;
        foreach (var statement in verdict.Parts)
        {
            while (start < tokens.Count && tokens[start].Start < statement.Start)
            {
                start++;
            }

            var end = start;
            while (end < tokens.Count && tokens[end].End <= statement.End)
            {
                end++;
            }

            if (!reader.TryRead(statement, start, end))
            {
                return null;
            }

            start = end;
        }

        return reader._steps;
    }

    private bool TryRead(SqlStatement statement, int start, int end)
    {
        var needs = statement.Effects & SessionEffects.OfSessions;
        if (statement.Kind == StatementKind.Drop && _tokens.Is(start + 1, "TABLE"))
        {
            return (needs & ~SessionEffects.TemporaryObject) == 0 && TryReadDrop(start, end);
        }

        return needs switch
        {
            SessionEffects.None => true,
            SessionEffects.TransactionControl => statement.Kind == StatementKind.Transaction && TryReadTransaction(start, end),
            SessionEffects.Listen => TryReadListen(start, end),
            SessionEffects.PreparedStatement => statement.Kind == StatementKind.Prepare && TryReadPrepared(start, end),
            SessionEffects.TemporaryObject => TryReadTemporary(statement.Kind, start, end),
            SessionEffects.SessionLock => statement.Kind == StatementKind.Select && TryReadLocks(start, end),
            _ => false, // Several, or others.
        };
    }

    private bool Add(SessionStepKind kind, SessionThing thing, string name = "")
    {
        _steps.Add(new SessionStep(kind, thing, name));
        return true;
    }

    private bool TryReadTransaction(int start, int end)
    {
        if (Mentions(start, end, "PREPARED") || (Mentions(start, end, "CHAIN") && !Mentions(start, end, "NO")))
        {
            return false;
        }

        return _tokens.Keyword(start) switch
        {
            "begin" or "start" => Add(SessionStepKind.Make, SessionThing.Transaction),
            "commit" or "end" => Add(SessionStepKind.End, SessionThing.Transaction),
            "rollback" or "abort" => Add(SessionStepKind.RollBack, SessionThing.Transaction),
            _ => false,
        };
    }

    private bool TryReadListen(int start, int end)
    {
        if (end != start + 2)
        {
            return false;
        }

        return _tokens.Is(start, "LISTEN")
            ? Add(SessionStepKind.Make, SessionThing.Channel, _tokens.Name(start + 1))
            : _tokens.IsName(start + 1) ? Add(SessionStepKind.End, SessionThing.Channel, _tokens.Name(start + 1))
            : _tokens.Raw(start + 1) == "*" && Add(SessionStepKind.EndAll, SessionThing.Channel);
    }

    private bool TryReadPrepared(int start, int end)
    {
        var name = _tokens.Is(start, "DEALLOCATE", "PREPARE") ? start + 2 : start + 1;
        if (name >= end || !_tokens.IsName(name))
        {
            return false;
        }

        return _tokens.Keyword(start) switch
        {
            "prepare" => Add(SessionStepKind.Make, SessionThing.PreparedStatement, _tokens.Name(name)),
            "execute" => Add(SessionStepKind.Use, SessionThing.PreparedStatement, _tokens.Name(name)),
            "deallocate" when !_tokens.Is(name, "ALL") => Add(SessionStepKind.End, SessionThing.PreparedStatement, _tokens.Name(name)), // ALL includes Npgsql's own.
            _ => false,
        };
    }

    private bool TryReadTemporary(StatementKind kind, int start, int end)
    {
        if (kind != StatementKind.Create)
        {
            return kind is StatementKind.Select or StatementKind.Insert or StatementKind.Update or StatementKind.Delete or StatementKind.Utility or StatementKind.Copy
                && Add(SessionStepKind.Use, SessionThing.TemporaryTable);
        }

        var i = _tokens.Is(start + 1, "GLOBAL") || _tokens.Is(start + 1, "LOCAL") ? start + 2 : start + 1;
        if (!(_tokens.Is(i, "TEMP") || _tokens.Is(i, "TEMPORARY")) || !_tokens.Is(i + 1, "TABLE"))
        {
            return false;
        }

        i = _tokens.Is(i + 2, "IF", "NOT") && _tokens.Is(i + 4, "EXISTS") ? i + 5 : i + 2;
        var last = _tokens.EndOfName(i);
        return last < end && _tokens.IsName(i) && Add(SessionStepKind.Make, SessionThing.TemporaryTable, _tokens.Name(last));
    }

    private bool TryReadDrop(int start, int end)
    {
        for (var i = _tokens.Is(start + 2, "IF", "EXISTS") ? start + 4 : start + 2; i < end; i++)
        {
            var last = _tokens.EndOfName(i);
            if (!_tokens.IsName(i) || last >= end)
            {
                return false;
            }

            // A name with another schema is not the name of a temporary table.
            var isTemporary = last > i && TemporarySchema.Is(_tokens, i);
            if (last == i || isTemporary)
            {
                Add(isTemporary ? SessionStepKind.End : SessionStepKind.EndIfThere, SessionThing.TemporaryTable, _tokens.Name(last));
            }

            i = last + 1;
            if (i < end && !_tokens.Is(i, ','))
            {
                return i == end - 1 && (_tokens.Is(i, "CASCADE") || _tokens.Is(i, "RESTRICT"));
            }
        }

        return true;
    }

    // Every call must have a known form. Arguments are compared as text. If the same text means another lock (of a column, of a
    // volatile function), the reset releases it.
    private bool TryReadLocks(int start, int end)
    {
        for (var i = start; i < end; i++)
        {
            if (!_tokens.IsName(i) || SessionFunctions.EffectsOf(_tokens.Name(i)) != SessionEffects.SessionLock)
            {
                continue;
            }

            var close = _tokens.Close(i + 1);
            if (!_tokens.Is(i + 1, '(') || close >= end)
            {
                return false;
            }

            var name = _tokens.Name(i);
            var begin = _tokens[i + 1].End;
            var arguments = _tokens.Text.Substring(begin, _tokens[close].Start - begin).Trim();
            var isShared = name.EndsWith("_shared", StringComparison.Ordinal);
            if (name == "pg_advisory_unlock_all")
            {
                Add(SessionStepKind.EndAll, SessionThing.Lock);
                continue;
            }

            Add(
                name.StartsWith("pg_advisory_unlock", StringComparison.Ordinal) ? SessionStepKind.End : SessionStepKind.Make,
                SessionThing.Lock,
                isShared ? $"shared {arguments}" : arguments);
        }

        return true;
    }

    private bool Mentions(int start, int end, string word)
    {
        for (var i = start; i < end; i++)
        {
            if (_tokens.Is(i, word))
            {
                return true;
            }
        }

        return false;
    }
}
