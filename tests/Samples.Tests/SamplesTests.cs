using EfPooling.Testing;

namespace Samples.Tests;

/// <summary>Each small sample as a process of its own, which needs nothing, says something and ends.</summary>
public sealed class SamplesTests
{
    [Fact]
    public async Task DapperSample_ServesFiftyOpenConnectionsOnTwo()
        => Assert.Matches(
            """
            ^50 customers have a connection open\. Server connections opened for them: [12]\.
            Sold: 25 Assam, 25 Sencha\.
            $
            """,
            await RunAsync("DapperSample"));

    [Fact]
    public async Task TenantSample_ShowsEachTenantItsOwnRows()
        => Assert.Equal(
            """
            tea-house: Buy Sencha
            coffee-bar: Buy Arabica, Clean the grinder
            Without a tenant: app.tenant_id is missing, so nothing was sent.

            """,
            await RunAsync("TenantSample"));

    [Fact]
    public async Task NotificationsSample_HearsWhatWasCommitted()
        => Assert.Equal(
            """
            Listening. What is committed from now on is heard.
            Sold: wheat bread.
            Sold: rye bread.

            """,
            await RunAsync("NotificationsSample"));

    /// <summary>What it says; nothing on standard error.</summary>
    private static async Task<string> RunAsync(string sample)
    {
        var run = await ProgramRun.OfAsync("dotnet", Path.Combine(AppContext.BaseDirectory, sample + ".dll"));
        var output = run.OutputOfSuccess();
        Assert.Equal("", run.Errors);
        return output.ReplaceLineEndings("\n");
    }
}
