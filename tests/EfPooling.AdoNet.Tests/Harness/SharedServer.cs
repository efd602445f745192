namespace EfPooling.AdoNet.Tests;

/// <summary>The tests that share the server of <see cref="ServerFixture"/>.</summary>
[CollectionDefinition(Name)]
public sealed class SharedServer : ICollectionFixture<ServerFixture>
{
    public const string Name = "shared server";
}
