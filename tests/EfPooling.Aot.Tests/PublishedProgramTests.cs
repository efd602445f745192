using System.Text.RegularExpressions;
using EfPooling.Dev;
using EfPooling.Testing;

namespace EfPooling.Aot.Tests;

/// <summary>The same program, published and as it was built: what a trimmer takes away shows as a difference.</summary>
public sealed partial class PublishedProgramTests(ITestOutputHelper output)
{
    private const string Expected =
        """
        internals: all there
        query: hello! 42 2026-01-02
        transaction: 2
        setting: tea-house
        notification: order 7
        shared reads: 10200
        concurrent use: Mistakes.UseAtTheSameTimeAsync
        two participants: TwoPhaseCommitException

        """;

    [Fact]
    public async Task Program_DoesTheSame_Published()
    {
        using var program = new PublishedProgram();
        output.WriteLine($"Published: {await program.PublishAsync()}.");
        await using var server = await DevPostgres.StartAsync();

        var asBuilt = await ProgramRun.OfAsync("dotnet", Path.Combine(AppContext.BaseDirectory, "EfPooling.Aot.Sample.dll"), await server.CreateDatabaseAsync());
        var published = await ProgramRun.OfAsync(program.Path, await server.CreateDatabaseAsync());

        Assert.Equal(Expected, Normalise(asBuilt.OutputOfSuccess()));
        Assert.Equal(Expected, Normalise(published.OutputOfSuccess()));
    }

    // Only a program that was not compiled ahead of time knows lines.
    private static string Normalise(string output) => Line().Replace(output.ReplaceLineEndings("\n"), "");

    [GeneratedRegex(@" in Mistakes\.cs:\d+")]
    private static partial Regex Line();
}
