using System.Data;

namespace EfPooling.AdoNet.Tests.Safety;

/// <summary>A caller runs texts; the next caller must find its session fresh.</summary>
/// <param name="Name">Of the test.</param>
/// <param name="Setup">What the adversary has made in the database.</param>
/// <param name="Texts">What it runs, in order.</param>
public sealed record AdversaryText(string Name, string Setup, params string[] Texts)
{
    public bool InTransaction { get; init; }

    public CommandType Type { get; init; } = CommandType.Text;

    /// <summary>What it makes once the pool knows the database.</summary>
    public string? After { get; init; }

    /// <summary>The next caller runs something a few times, so that it would meet a prepared statement that is gone.</summary>
    public bool Retries { get; init; }

    public override string ToString() => Name;
}
