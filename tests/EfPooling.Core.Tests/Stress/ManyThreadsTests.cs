namespace EfPooling.Core.Tests.Stress;

public sealed class ManyThreadsTests
{
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task ManyThreads_WithRandomTimeouts_LeaveEverythingInOrder(int seed)
    {
        await using var run = new ManyThreads(seed);
        try
        {
            await run.Run();
        }
        catch (Exception error)
        {
            Assert.Fail($"Seed {seed}: {error}");
        }
    }
}
