namespace EfPooling.Interleavings.Tests;

/// <summary>The tests that share the server of <see cref="ExplorationFixture"/>. Explorations measure nothing, so they need not be alone.</summary>
[CollectionDefinition(Name)]
public sealed class Exploration : ICollectionFixture<ExplorationFixture>
{
    public const string Name = "exploration";
}
