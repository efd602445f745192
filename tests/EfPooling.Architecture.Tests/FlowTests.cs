using System.Globalization;
using System.Text.RegularExpressions;
using EfPooling.Dev;

namespace EfPooling.Architecture.Tests;

/// <summary>How many types the three flows of docs/architecture.md pass, and how often the type changes on the way.</summary>
public sealed partial class FlowTests(ITestOutputHelper output)
{
    /// <summary>Ratchets: they may only be made smaller.</summary>
    private static readonly (string Flow, int Types, int Changes)[] Most =
    [
        ("lone SELECT", 48, 345),
        ("four reads that share a round trip", 77, int.MaxValue), // Threads take turns.
        ("SaveChanges in a transaction", 75, 850),
    ];

    [Fact]
    public async Task Flows_PassFewTypes()
    {
        await using var server = await DevPostgres.StartAsync();
        var program = Path.Combine(AppContext.BaseDirectory, "EfPooling.Architecture.Flows.dll");

        var figures = (await ProgramRun.OfAsync("dotnet", program, await server.CreateDatabaseAsync())).OutputOfSuccess();

        output.WriteLine(figures);
        var found = Figures().Matches(figures).Select(static match => (match.Groups[1].Value, Number(match, 2), Number(match, 3))).ToList();
        Assert.Equal(Most.Select(static most => most.Flow), found.Select(static flow => flow.Value));
        Assert.All(Most.Zip(found), static pair =>
        {
            Assert.InRange(pair.Second.Item2, 10, pair.First.Types);
            Assert.InRange(pair.Second.Item3, 10, pair.First.Changes);
        });
    }

    private static int Number(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex("^(.+): ([0-9]+) types, ([0-9]+) changes of type$", RegexOptions.Multiline)]
    private static partial Regex Figures();
}
