using EfPooling.AdoNet.Sql;
using EfPooling.Analyzers.Sql;
using EfPooling.Analyzers.Symbols;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0001: SET, RESET and <c>set_config(…, false)</c>. Silent on a connection that the same code has opened, from the pool too: there
/// the setting lasts for as long as that code has the connection.
/// </summary>
internal sealed class SessionSettingRule() : SqlRule(Descriptors.SessionSetting)
{
    private static readonly WordTable SpecialForms = new("role names schema authorization characteristics time xml session");
    private static readonly WordTable False = new("false f off no n 0");

    public override bool Concerns(SqlUse use)
        => use.Script.Statements.Any(ChangesSettings) && use.Origin == ConnectionOrigin.Shared && !IsHeldOpen(use) && !RunsAtEachOpening(use);

    public override void Check(SqlUse use, SqlScriptStatement statement)
    {
        var tokens = use.Script.Tokens;
        var first = statement.First;
        if (statement.Kind is StatementKind.Set)
        {
            if (IsPostgreSqls(tokens, statement))
            {
                use.Report(Descriptor, first, EndOfHead(tokens, statement), use.IsInTransaction ? LocalEdit(tokens, first) : null, use.Script.Summary(first, statement.End), "SET LOCAL");
            }
        }
        else if (statement.Kind is StatementKind.Reset)
        {
            if (!IsKnownReset(tokens, statement))
            {
                return;
            }

            use.Report(Descriptor, first, EndOfHead(tokens, statement), null, use.Script.Summary(first, statement.End), "SET LOCAL ... TO DEFAULT");
        }
        else if ((statement.Effects & (SessionEffects.Settings | SessionEffects.UnnamedSettings)) != 0)
        {
            CheckCalls(use, statement);
        }
    }

    private static bool ChangesSettings(SqlScriptStatement statement)
        => statement.Kind is StatementKind.Set or StatementKind.Reset || (statement.Effects & (SessionEffects.Settings | SessionEffects.UnnamedSettings)) != 0;

    private void CheckCalls(SqlUse use, SqlScriptStatement statement)
    {
        var tokens = use.Script.Tokens;
        for (var i = statement.First; i < statement.End; i++)
        {
            if (tokens.IsName(i) && tokens.Name(i) == "set_config" && tokens.Is(i + 1, '(') && LiteralFalse(tokens, i + 1) is { } isLocal)
            {
                var place = tokens[isLocal];
                var replacement = tokens.Is(isLocal, SqlTokenKind.Text) ? "'true'" : "true";
                var end = tokens.Close(i + 1) + 1;
                use.Report(Descriptor, i, end, use.IsInTransaction ? (place.Start, place.End, replacement) : null, use.Script.Summary(i, end), "set_config(..., true)");
            }
        }
    }

    // The member has opened the connection itself, so that the setting lasts until it closes it.
    private static bool IsHeldOpen(SqlUse use)
    {
        var symbols = KnownSymbols.Of(use.Compilation);
        return MemberOperations.Of(use.Sink.Operation).Opening
            .TakeWhile(call => call.Syntax.SpanStart < use.Sink.Operation.Syntax.SpanStart)
            .Any(call => symbols.Operations.TryGet(call, out var open) && open.Kind == DbOperationKind.Open
                && symbols.Roots.Of(open.Owner) is var root && (root.IsSameAs(use.Root) || !root.IsKnown || !use.Root.IsKnown));
    }

    // An interceptor of connections, which gives each one that is opened its settings.
    private static bool RunsAtEachOpening(SqlUse use) => use.Member.ContainingType.IsOrImplements(KnownSymbols.Of(use.Compilation).ConnectionInterceptor);

    // RESET MASTER and RESET QUERY CACHE are MySQL's.
    private static bool IsKnownReset(SqlTokens tokens, SqlScriptStatement statement)
        => tokens.Is(statement.First + 1, "ALL") || tokens.IsAny(statement.First + 1, SpecialForms) || IsKnown(tokens, statement.First + 1);

    // With a dot it is an extension's or the application's own.
    private static bool IsKnown(SqlTokens tokens, int name) => tokens.IsName(name) && (tokens.Is(name + 1, '.') || ServerSettings.Contain(tokens.Name(name)));

    // Other dialects have SET too; and what is pasted in may say LOCAL.
    private static bool IsPostgreSqls(SqlTokens tokens, SqlScriptStatement statement)
    {
        var end = EndOfHead(tokens, statement);
        var first = tokens.Is(statement.First + 1, "SESSION") && !tokens.Is(statement.First + 2, "AUTHORIZATION") && !tokens.Is(statement.First + 2, "CHARACTERISTICS") ? statement.First + 2 : statement.First + 1;
        return tokens.Is(first, "NAMES") ? tokens.Is(first + 1, "DEFAULT") || tokens.Constant(first + 1) is { } encoding && !encoding.StartsWith("utf8mb", StringComparison.OrdinalIgnoreCase)
            : tokens.IsAny(first, SpecialForms) || (IsKnown(tokens, first) && (tokens.IsOperator(end, "=") || tokens.Is(end, "TO") || tokens.Is(end - 2, "FROM", "CURRENT")));
    }

    // SET or RESET and the name behind it.
    private static int EndOfHead(SqlTokens tokens, SqlScriptStatement statement)
    {
        var end = statement.First + 1;
        while (end < statement.End && !tokens.IsOperator(end, "=") && !tokens.Is(end, "TO") && (tokens.IsName(end) || tokens.Is(end, '.')))
        {
            end++;
        }

        return end;
    }

    // SET x and SET SESSION x become SET LOCAL x; there is no such form of SET SESSION CHARACTERISTICS.
    private static (int, int, string)? LocalEdit(SqlTokens tokens, int first)
    {
        var next = tokens[first + 1];
        return tokens.Is(first + 1, "SESSION", "CHARACTERISTICS") ? null
            : tokens.Is(first + 1, "SESSION") && !tokens.Is(first + 2, "AUTHORIZATION") && tokens.IsName(first + 2) ? (next.Start, next.End, "LOCAL")
            : (next.Start, next.Start, "LOCAL ");
    }

    // The third argument, by place or by name, if it is a constant.
    private static int? LiteralFalse(SqlTokens tokens, int open)
    {
        var close = tokens.Close(open);
        var place = 0;
        for (var start = open + 1; start < close; place++)
        {
            var end = start;
            while (end < close && !tokens.Is(end, ','))
            {
                end = tokens.Is(end, '(') || tokens.Is(end, '[') ? tokens.Close(end) + 1 : end + 1;
            }

            var isNamed = tokens.IsOperator(start + 1, "=>") || tokens.IsOperator(start + 1, ":=");
            var value = isNamed ? start + 2 : start;
            if ((isNamed ? tokens.Name(start) == "is_local" : place == 2) && end == value + 1
                && (tokens.Is(value, "FALSE") || (tokens.Constant(value) is { } constant && False.Contains(constant.Trim()))))
            {
                return value;
            }

            start = end + 1;
        }

        return null;
    }
}
