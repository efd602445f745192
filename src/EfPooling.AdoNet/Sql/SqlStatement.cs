namespace EfPooling.AdoNet.Sql;

/// <summary>One statement of a text.</summary>
internal readonly struct SqlStatement(StatementKind kind, SessionEffects effects, int start, int end)
{
    public StatementKind Kind { get; } = kind;

    public SessionEffects Effects { get; } = effects;

    public int Start { get; } = start;

    public int End { get; } = end;
}
