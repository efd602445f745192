namespace EfPooling.Core.Tests.Stress;

public sealed class RandomActionsTests
{
    private const int Steps = 10_000;

    /// <summary>Twelve seeds that stay, and one that nobody has tried.</summary>
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12), Random.Shared.Next()];

    [Theory, MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public async Task RandomActions_KeepEveryPromise(int seed)
    {
        await using var run = new RandomActions(seed);
        try
        {
            await run.Run(Steps);
        }
        catch (Exception error)
        {
            Assert.Fail($"Seed {seed}, step {run.Step}: {error}");
        }
    }
}
