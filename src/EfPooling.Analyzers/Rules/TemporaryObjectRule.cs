using EfPooling.AdoNet.Sql;
using EfPooling.Analyzers.Sql;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0005: CREATE TEMP TABLE without ON COMMIT DROP, other temporary objects, SELECT … INTO TEMP.</summary>
internal sealed class TemporaryObjectRule() : SqlRule(Descriptors.TemporaryObject)
{
    private const string OnCommitDrop = "Add ON COMMIT DROP and use the table in the same transaction";

    private const string InTransaction = "Write CREATE TEMP TABLE ... ON COMMIT DROP in the transaction that uses it";

    public override bool Concerns(SqlUse use) => !use.Script.IsOnlyData && use.IsPooled && !use.Script.IsSelfContained;

    public override void Check(SqlUse use, SqlScriptStatement statement)
    {
        if ((statement.Effects & SessionEffects.TemporaryObject) == 0)
        {
            return;
        }

        if (statement.Kind == StatementKind.Create)
        {
            CheckCreate(use, statement);
        }
        else if (statement.Kind == StatementKind.SelectInto)
        {
            CheckInto(use, statement);
        }
    }

    private void CheckCreate(SqlUse use, SqlScriptStatement statement)
    {
        var tokens = use.Script.Tokens;
        var kind = statement.First + 1;
        while (IsModifier(tokens, kind))
        {
            kind++;
        }

        if (!IsTemporary(tokens, kind - 1) && !tokens.Is(kind - 1, "RECURSIVE"))
        {
            // Otherwise a permanent one, perhaps with pg_temp in its query.
            var name = tokens.Is(kind + 1, "IF") ? kind + 4 : kind + 1;
            if (IsInTemporarySchema(tokens, name, statement.End))
            {
                use.Report(Descriptor, statement.First, name + 3, null, use.Script.Summary(statement.First, statement.End), InTransaction);
            }

            return;
        }

        if (tokens.Is(kind, "VIEW") || tokens.Is(kind, "SEQUENCE"))
        {
            use.Report(Descriptor, statement.First, kind + 1, null, use.Script.Summary(statement.First, statement.End), "Use a common table expression or a permanent object");
        }
        else if (tokens.Is(kind, "TABLE") && !MayDropItself(use.Script, kind, statement.End))
        {
            use.Report(Descriptor, statement.First, kind + 1, use.IsInTransaction ? Edit(tokens, kind, statement.End) : null, use.Script.Summary(statement.First, statement.End), OnCommitDrop);
        }
    }

    private void CheckInto(SqlUse use, SqlScriptStatement statement)
    {
        var tokens = use.Script.Tokens;
        for (var i = statement.First; i < statement.End; i++)
        {
            var kind = tokens.Is(i + 1, "LOCAL") || tokens.Is(i + 1, "GLOBAL") ? i + 2 : i + 1;
            var name = tokens.Is(i + 1, "TABLE") ? i + 2 : i + 1;
            var isQualified = IsInTemporarySchema(tokens, name, statement.End);
            if (tokens.Is(i, "INTO") && (isQualified || IsTemporary(tokens, kind)))
            {
                use.Report(Descriptor, i, isQualified ? name + 3 : kind + 1, null, use.Script.Summary(statement.First, statement.End), InTransaction);
                return;
            }
        }
    }

    // pg_temp.name
    private static bool IsInTemporarySchema(SqlTokens tokens, int i, int end)
        => i + 2 < end && tokens.IsName(i) && TemporarySchema.Is(tokens.Name(i)) && tokens.Is(i + 1, '.') && tokens.IsName(i + 2);

    private static bool IsTemporary(SqlTokens tokens, int i) => tokens.Is(i, "TEMP") || tokens.Is(i, "TEMPORARY");

    private static bool IsModifier(SqlTokens tokens, int i)
        => IsTemporary(tokens, i) || tokens.Is(i, "LOCAL") || tokens.Is(i, "GLOBAL") || tokens.Is(i, "OR") || tokens.Is(i, "REPLACE") || tokens.Is(i, "RECURSIVE");

    // What is pasted in behind the name and outside parentheses may say ON COMMIT DROP.
    private static bool MayDropItself(SqlScript script, int kind, int end)
    {
        var tokens = script.Tokens;
        for (var i = kind + 2; i < end; i = tokens.Is(i, '(') ? tokens.Close(i) + 1 : i + 1)
        {
            if (script.IsHole(i))
            {
                return true;
            }
        }

        return false;
    }

    // At the end, or before AS and the query; nothing where another clause is in the way.
    private static (int, int, string)? Edit(SqlTokens tokens, int kind, int end)
    {
        var last = end;
        for (var i = kind; i < end; i = tokens.Is(i, '(') ? tokens.Close(i) + 1 : i + 1)
        {
            if (tokens.Is(i, "TABLESPACE") || tokens.Is(i, "ON", "COMMIT"))
            {
                return null;
            }

            if (tokens.Is(i, "AS"))
            {
                last = i;
                break;
            }
        }

        var at = tokens[last - 1].End;
        return (at, at, " ON COMMIT DROP");
    }
}
