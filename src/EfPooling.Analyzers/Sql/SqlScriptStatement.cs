using EfPooling.AdoNet.Sql;

namespace EfPooling.Analyzers.Sql;

/// <summary>One statement of a script.</summary>
/// <param name="kind">As the classifier says.</param>
/// <param name="effects">As the classifier says.</param>
/// <param name="first">Its first token.</param>
/// <param name="end">The token behind its last one.</param>
internal readonly struct SqlScriptStatement(StatementKind kind, SessionEffects effects, int first, int end)
{
    public StatementKind Kind { get; } = kind;

    public SessionEffects Effects { get; } = effects;

    public int First { get; } = first;

    public int End { get; } = end;
}
