using System.Text;

namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Reads SET, RESET and <c>set_config</c>: which settings they change, and whether the change outlives the transaction.
/// </summary>
internal sealed class SettingsReader(SqlTokens tokens, VerdictBuilder verdict)
{
    private const int MostLooked = 64; // tokens of a value: calls may be nested, and each one reads everything within it

    private static readonly WordTable Casts = new("text varchar bool boolean"); // "char" and others change the value

    private static readonly WordTable True = new("true t on yes y 1");

    public StatementKind ReadSet(int start, int end)
    {
        var i = start + 1;
        var isLocal = IsKeyword(i, "LOCAL");
        if (isLocal || (IsKeyword(i, "SESSION") && !tokens.Is(i + 1, "AUTHORIZATION") && !tokens.Is(i + 1, "CHARACTERISTICS")))
        {
            i++;
        }

        if (IsKeyword(i, "TRANSACTION") || IsKeyword(i, "CONSTRAINTS"))
        {
            return StatementKind.SetLocal;
        }

        if (tokens.Is(i, "SESSION", "CHARACTERISTICS"))
        {
            ReadCharacteristics(i + 2, end);
            return StatementKind.Set;
        }

        var names = ReadName(ref i);
        NoteDangerousValues(names, i, end);
        if (isLocal && names.Count > 0)
        {
            verdict.Add(names.Contains(SqlSetting.Seed) ? SessionEffects.FunctionState : SessionEffects.None); // No rollback restores it.
            return StatementKind.SetLocal;
        }

        AddSettings(names);
        return StatementKind.Set;
    }

    public StatementKind ReadReset(int start)
    {
        var i = start + 1;
        if (IsKeyword(i, "ALL"))
        {
            verdict.ResetsAllSettings = true;
            verdict.Add(SessionEffects.Settings);
        }
        else if (tokens.Is(i, "TRANSACTION", "ISOLATION"))
        {
            verdict.AddSetting("transaction_isolation");
        }
        else
        {
            AddSettings(ReadName(ref i));
        }

        return StatementKind.Reset;
    }

    /// <param name="open">The parenthesis after <c>set_config</c>.</param>
    public void ReadSetConfig(int open)
    {
        var arguments = Arguments(open);
        var name = arguments.Name is { } range ? ConstantOf(range) : null;
        var isLocal = arguments.IsLocal is { } local && IsConstantTrue(local);
        name = name is null ? null : SqlSetting.NameOf(name);
        if (name is null or "search_path" && arguments.Value is { } value && (value.End > value.Start + MostLooked || MayNameTemporarySchema(value)))
        {
            verdict.Add(SessionEffects.TemporaryObject);
        }

        if (name == SqlSetting.StringSyntax && !(arguments.Value is { } syntax && IsConstantTrue(syntax)))
        {
            verdict.Add(SessionEffects.StringSyntax | SessionEffects.Unknown);
        }

        if (isLocal && name != SqlSetting.Seed)
        {
            return;
        }

        if (name is null)
        {
            verdict.Add(SessionEffects.UnnamedSettings);
        }
        else
        {
            verdict.AddSetting(name);
        }
    }

    // A keyword of SET, not a setting of that name such as local.x.
    private bool IsKeyword(int i, string word) => tokens.Is(i, word) && !tokens.Is(i + 1, '.') && !IsAssignment(i + 1);

    private bool IsAssignment(int i) => tokens.IsOperator(i, "=") || tokens.Is(i, "TO") || tokens.Is(i, "FROM", "CURRENT");

    // Leaves i after the name.
    private List<string> ReadName(ref int i)
    {
        var first = i;
        i += 2;
        if (tokens.Is(first, "SESSION", "AUTHORIZATION"))
        {
            return ["session_authorization", "role"]; // The role is reset to none too.
        }

        if (tokens.Is(first, "TIME", "ZONE"))
        {
            return ["timezone"];
        }

        if (tokens.Is(first, "XML", "OPTION"))
        {
            return ["xmloption"];
        }

        i = first + 1;
        if (IsKeyword(first, "ROLE"))
        {
            return ["role"];
        }

        if (IsKeyword(first, "NAMES"))
        {
            return ["client_encoding"];
        }

        if (tokens.Is(first, "SCHEMA") && tokens.Is(first + 1, SqlTokenKind.Text))
        {
            return ["search_path"];
        }

        if (!tokens.IsName(first))
        {
            return [];
        }

        i = tokens.EndOfName(first) + 1;
        var name = new StringBuilder(tokens.Name(first)); // Each part is cut off by itself; the name in a constant is not.
        for (var part = first + 2; part < i; part += 2)
        {
            name.Append('.').Append(tokens.Name(part));
        }

        return [SqlSetting.NameOf(name.ToString())];
    }

    private void AddSettings(List<string> names)
    {
        if (names.Count == 0)
        {
            verdict.Add(SessionEffects.Settings | SessionEffects.Unknown);
        }

        foreach (var name in names)
        {
            verdict.AddSetting(name);
        }
    }

    private void ReadCharacteristics(int start, int end)
    {
        verdict.Add(SessionEffects.Settings);
        for (var i = start; i < end; i++)
        {
            if (tokens.Is(i, "ISOLATION"))
            {
                verdict.AddSetting("default_transaction_isolation");
            }
            else if (tokens.Is(i, "READ") && (tokens.Is(i + 1, "ONLY") || tokens.Is(i + 1, "WRITE")) && !tokens.Is(i - 1, "LEVEL"))
            {
                verdict.AddSetting("default_transaction_read_only");
            }
            else if (tokens.Is(i, "DEFERRABLE"))
            {
                verdict.AddSetting("default_transaction_deferrable");
            }
        }
    }

    // With pg_temp on the search path, CREATE TABLE makes a temporary table. Without conforming strings, later texts are read in
    // another way.
    private void NoteDangerousValues(List<string> names, int start, int end)
    {
        if (names.Contains(SqlSetting.StringSyntax) && !(IsAssignment(start) && end == start + 2 && (True.Contains(tokens.Name(start + 1)) || IsConstantTrue((start + 1, end)))))
        {
            verdict.Add(SessionEffects.StringSyntax | SessionEffects.Unknown);
        }

        if (names.Contains("search_path") && MayNameTemporarySchema((start, end)))
        {
            verdict.Add(SessionEffects.TemporaryObject);
        }
    }

    private bool MayNameTemporarySchema((int Start, int End) range)
    {
        for (var i = range.Start; i < range.End && i < tokens.Count; i++)
        {
            if (TemporarySchema.Is(tokens, i) || (tokens.Is(i, SqlTokenKind.Text) && TemporarySchema.IsIn(tokens.Constant(i) ?? "pg_temp")))
            {
                return true;
            }
        }

        return false;
    }

    // By position, or by name as in is_local => true.
    private ((int, int)? Name, (int Start, int End)? Value, (int Start, int End)? IsLocal) Arguments(int open)
    {
        var close = tokens.Close(open);
        (int, int)? name = null, value = null, isLocal = null;
        var place = 0;
        for (var start = open + 1; start < close; place++)
        {
            var end = start;
            while (end < close && !tokens.Is(end, ','))
            {
                end = tokens.Is(end, '(') || tokens.Is(end, '[') ? tokens.Close(end) + 1 : end + 1;
            }

            var isNamed = tokens.IsName(start) && (tokens.IsOperator(start + 1, "=>") || tokens.IsOperator(start + 1, ":="));
            var index = !isNamed ? place : tokens.Name(start) switch { "setting_name" => 0, "new_value" => 1, "is_local" => 2, _ => 3 };
            var range = (isNamed ? start + 2 : start, Math.Min(end, close));
            (name, value, isLocal) = (index == 0 ? range : name, index == 1 ? range : value, index == 2 ? range : isLocal);
            start = end + 1;
        }

        return (name, value, isLocal);
    }

    // A constant, with or without a cast that keeps its value.
    private string? ConstantOf((int Start, int End) range)
        => range.End == range.Start + 1 || (tokens.IsOperator(range.Start + 1, "::") && range.End == range.Start + 3 && tokens.IsAny(range.Start + 2, Casts))
            ? tokens.Constant(range.Start)
            : null;

    private bool IsConstantTrue((int Start, int End) range)
        => (range.End == range.Start + 1 && tokens.Is(range.Start, "TRUE")) || (ConstantOf(range) is { } constant && True.Contains(constant.Trim()));
}
