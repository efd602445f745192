namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Collects what the tokens of a text refer to. The place of a token does not matter, so no trick of the grammar can hide a name.
/// One thread only.
/// </summary>
internal sealed class ShapeBuilder(SqlTokens tokens)
{
    // Reserved words of PostgreSQL that cannot be names without quotes, not even names of functions.
    private static readonly WordTable Reserved = new(
        """
        all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create current_catalog current_date
        current_role current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign
        from grant group having in initially intersect into lateral leading limit localtime localtimestamp not null offset on only or order
        placing primary references returning select session_user some symmetric system_user table then to trailing true union unique user using
        variadic when where window with
        """);

    // Words that stand for operators.
    private static readonly (string Word, string[] Operators)[] Patterns = [("LIKE", ["~~", "!~~"]), ("ILIKE", ["~~*", "!~~*"]), ("SIMILAR", ["~", "!~"])];

    private readonly HashSet<string> _calls = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _operators = new(StringComparer.Ordinal);

    public ShapeFlags Flags { get; set; } = tokens.IsBroken || HasForeignEscape(tokens) ? ShapeFlags.Opaque : ShapeFlags.None;

    /// <param name="start">The first token to read.</param>
    /// <param name="end">The token after the last one.</param>
    /// <param name="mayBeLocal">Whether a <c>set_config</c> that provably ends with its transaction is allowed.</param>
    public void Collect(int start, int end, bool mayBeLocal)
    {
        for (var i = start; i < end; i++)
        {
            switch (tokens[i].Kind)
            {
                case SqlTokenKind.Word when Patterns.FirstOrDefault(pattern => tokens.Is(i, pattern.Word)).Operators is { } operators:
                    _operators.UnionWith(operators);
                    AddName(i);
                    break;
                case SqlTokenKind.Word when tokens.IsAny(i, Reserved) || (mayBeLocal && TryTakeLocalSetting(i)):
                case SqlTokenKind.Text or SqlTokenKind.Number:
                    break;
                case SqlTokenKind.Parameter when tokens.Text[tokens[i].Start] == '@':
                    _operators.Add("@"); // Without a parameter of that name, Npgsql sends it as it is, and the server reads an operator.
                    break;
                case SqlTokenKind.Parameter:
                    break;
                case SqlTokenKind.Word or SqlTokenKind.QuotedWord:
                    AddName(i);
                    break;
                case SqlTokenKind.Operator:
                    _operators.Add(tokens.Raw(i));
                    break;
                case SqlTokenKind.Punctuation when tokens.Text[tokens[i].Start] is '(' or ')' or '[' or ']' or ',' or ';' or '.' or ':':
                    break;
                default:
                    Flags |= ShapeFlags.Opaque;
                    break;
            }
        }
    }

    public TextShape Build()
    {
        if (tokens.Text.Contains(SqlCatalog.ReadOnlyProbe, StringComparison.OrdinalIgnoreCase))
        {
            Flags |= ShapeFlags.SeesSharing;
        }

        return new TextShape(Flags, _calls, _names, _operators);
    }

    // A UESCAPE that the lexer has not attached to the name or constant before it, which then has another meaning.
    private static bool HasForeignEscape(SqlTokens tokens)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens.Is(i, "UESCAPE"))
            {
                return true;
            }
        }

        return false;
    }

    private void AddName(int i)
    {
        var name = tokens.Name(i);
        if (name.Length == 0 || TemporarySchema.Is(name))
        {
            Flags |= ShapeFlags.Opaque;
        }

        _names.Add(name);
        if (tokens.Is(i + 1, '(') || tokens.Is(i - 1, '.'))
        {
            _calls.Add(name); // (0.5).setseed is a call too.
        }
    }

    // set_config('name', …, true) ends with the transaction, whatever the value. Exceptions: the seed of random(), and settings
    // that change how texts are read.
    private bool TryTakeLocalSetting(int i)
    {
        if (!tokens.Is(i, "set_config") || !tokens.Is(i + 1, '(') || !tokens.Is(i + 3, ',')
            || tokens.Constant(i + 2) is not { } name || !IsRevocable(name))
        {
            return false;
        }

        var close = tokens.Close(i + 1);
        var isLocal = tokens.Is(close - 1, "TRUE") && tokens.Is(close - 2, ',') && close - 2 > i + 3 && !HasComma(i + 4, close - 2);
        Flags |= isLocal ? ShapeFlags.SetsLocally : ShapeFlags.None;
        return isLocal;
    }

    private static bool IsRevocable(string name)
        => !name.Equals("seed", StringComparison.OrdinalIgnoreCase) && !name.Equals("standard_conforming_strings", StringComparison.OrdinalIgnoreCase);

    private bool HasComma(int start, int end)
    {
        for (var i = start; i < end; i = tokens.Is(i, '(') || tokens.Is(i, '[') ? tokens.Close(i) + 1 : i + 1)
        {
            if (tokens.Is(i, ','))
            {
                return true;
            }
        }

        return false;
    }
}
