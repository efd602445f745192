namespace EfPooling.AdoNet.Sql;

/// <summary>What a statement does to one thing that a session keeps.</summary>
/// <param name="kind">The action.</param>
/// <param name="thing">The kind of thing.</param>
/// <param name="name">The name of the thing.</param>
internal readonly struct SessionStep(SessionStepKind kind, SessionThing thing, string name)
{
    public SessionStepKind Kind { get; } = kind;

    public SessionThing Thing { get; } = thing;

    public string Name { get; } = name;
}
