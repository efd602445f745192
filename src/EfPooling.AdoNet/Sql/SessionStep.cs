namespace EfPooling.AdoNet;

/// <summary>What a statement does to one thing that a session keeps.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Thing">Of which sort the thing is.</param>
/// <param name="Name">Which one of its sort.</param>
internal readonly record struct SessionStep(SessionStepKind Kind, SessionThing Thing, string Name);
