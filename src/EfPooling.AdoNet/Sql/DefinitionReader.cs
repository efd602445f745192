namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Reads CREATE, ALTER and DROP: temporary objects, queries that fill tables, and calls that definitions run. The bodies of
/// functions, views, rules, policies and triggers do not run when they are defined.
/// </summary>
internal sealed class DefinitionReader(SqlTokens tokens, VerdictBuilder verdict)
{
    private static readonly WordTable Prefixes = new("or replace global local recursive trusted procedural constraint default materialized unlogged foreign unique");

    public StatementKind ReadCreate(int start, int end)
    {
        if (!tokens.IsAny(start + 1, SqlWords.Objects))
        {
            return Unknown();
        }

        var i = start + 1;
        var isTemporary = false;
        while (tokens.IsAny(i, Prefixes) || tokens.Is(i, "TEMP") || tokens.Is(i, "TEMPORARY"))
        {
            isTemporary |= tokens.Is(i, "TEMP") || tokens.Is(i, "TEMPORARY");
            i++;
        }

        if (isTemporary)
        {
            NoteTemporaryObject(i, end);
        }

        Note(i, end);
        if (tokens.Is(i, "SCHEMA"))
        {
            NoteTemporaryElements(i, end);
        }

        if (tokens.Is(i, "TABLE") || tokens.Is(i, "VIEW"))
        {
            ReadFillingQuery(i, end, tokens.Is(i, "VIEW") && !tokens.Is(i - 1, "MATERIALIZED"));
        }

        return StatementKind.Create;
    }

    public StatementKind ReadAlter(int start, int end)
    {
        if (!tokens.IsAny(start + 1, SqlWords.Objects))
        {
            return Unknown();
        }

        Note(start + 1, end);
        return StatementKind.Alter;
    }

    public StatementKind ReadDrop(int start, int end)
    {
        if (!tokens.IsAny(start + 1, SqlWords.Objects))
        {
            return Unknown();
        }

        for (var i = start; i < end; i++)
        {
            NoteTemporarySchema(i);
        }

        return StatementKind.Drop;
    }

    private StatementKind Unknown()
    {
        verdict.Add(SessionEffects.Unknown);
        return StatementKind.Unknown;
    }

    // Dropped with the transaction if the text says so.
    private void NoteTemporaryObject(int start, int end)
    {
        for (var i = start; i < end && tokens.Is(start, "TABLE"); i = tokens.Is(i, '(') ? tokens.Close(i) + 1 : i + 1)
        {
            if (tokens.Is(i, "ON", "COMMIT") && tokens.Is(i + 2, "DROP"))
            {
                verdict.HasTransactionObject = true;
                return;
            }
        }

        verdict.Add(SessionEffects.TemporaryObject);
    }

    private void NoteTemporaryElements(int start, int end)
    {
        for (var i = start; i < end; i++)
        {
            if (tokens.Is(i, "TEMP") || tokens.Is(i, "TEMPORARY"))
            {
                verdict.Add(SessionEffects.TemporaryObject);
            }
        }
    }

    // Defaults, USING and similar clauses may run at once, so a call of a known function counts.
    private void Note(int kind, int end)
    {
        var mayRun = !tokens.IsAny(kind, SqlWords.Definitions);
        for (var i = kind; i < end; i++)
        {
            NoteTemporarySchema(i);
            if (tokens.IsName(i) && tokens[i].Length >= SqlSetting.StringSyntax.Length && tokens.Name(i) == SqlSetting.StringSyntax)
            {
                verdict.Add(SessionEffects.Unknown); // Set for a function, a role or a database, whose texts are then read in another way.
            }

            if (mayRun && tokens.IsName(i) && tokens.Is(i + 1, '('))
            {
                if (tokens.Name(i) == "set_config")
                {
                    new SettingsReader(tokens, verdict).ReadSetConfig(i + 1);
                }
                else
                {
                    verdict.Add(SessionFunctions.EffectsOf(tokens.Name(i)) & ~SessionEffects.SequenceValue);
                }
            }
        }
    }

    private void NoteTemporarySchema(int i)
    {
        if (TemporarySchema.Is(tokens, i))
        {
            verdict.Add(SessionEffects.TemporaryObject);
        }
    }

    private void ReadFillingQuery(int start, int end, bool isOnlyDefined)
    {
        for (var i = start; i < end && !isOnlyDefined; i = tokens.Is(i, '(') ? tokens.Close(i) + 1 : i + 1)
        {
            if (tokens.Is(i, "AS"))
            {
                var isExecute = tokens.Is(i + 1, "EXECUTE");
                verdict.Add(isExecute ? SessionEffects.PreparedStatement : SessionEffects.None);
                new ExpressionScanner(tokens, verdict).Scan(isExecute ? i + 3 : i + 1, end);
                return;
            }
        }
    }
}
