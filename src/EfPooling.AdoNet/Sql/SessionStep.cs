namespace EfPooling.AdoNet.Sql;

/// <summary>What a statement does to one thing that a session keeps.</summary>
/// <param name="kind">What is done.</param>
/// <param name="thing">Of which sort the thing is.</param>
/// <param name="name">Which one of its sort.</param>
internal readonly struct SessionStep(SessionStepKind kind, SessionThing thing, string name)
{
    public SessionStepKind Kind { get; } = kind;

    public SessionThing Thing { get; } = thing;

    public string Name { get; } = name;
}
