using Npgsql;

namespace EfPooling.AdoNet.Tests;

public sealed class ChannelNameTests(ServerFixture fixture) : PoolTest(fixture)
{
    public static TheoryData<string> Names =>
    [
        "plain", "Capitals", "with space", "quo\"te", "\"", "\"\"", "apo'strophe", "semi; UNLISTEN *; --", "back\\slash", "U&\"\\0041", "$$", "*",
        "Größe", "通知", "🐘", "a.b", "1st", "select", new string('x', 63), new string('é', 31),
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Name_IsTakenLiterally(string channel)
    {
        var pool = CreatePool();
        await using var subscriber = await Subscriber.BeginAsync(pool, channel);
        await using var sender = await OpenPlainAsync();
        await using var notify = new NpgsqlCommand("SELECT pg_notify($1, 'here')", sender) { Parameters = { new() { Value = channel } } };
        await notify.ExecuteNonQueryAsync();

        Assert.Equal(new ChannelNotification(channel, "here", sender.ProcessID), await subscriber.NextAsync());
    }

    [Theory]
    [InlineData("", "cannot be empty")]
    [InlineData("a\0b", "NUL character")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123", "64 bytes in UTF-8; PostgreSQL allows 63")]
    [InlineData("éééééééééééééééééééééééééééééééé", "64 bytes in UTF-8")]
    public void BadName_IsRefusedAtOnce_WithTheReason(string channel, string reason)
    {
        var pool = CreatePool();

        var error = Assert.Throws<ArgumentException>(() => pool.SubscribeAsync(channel));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal("channel", error.ParamName);
        Assert.Throws<ArgumentNullException>(nameof(channel), () => pool.SubscribeAsync(null!));
    }

    [Fact]
    public void HalfASurrogatePair_IsRefusedAtOnce()
        => Assert.Contains("half of a surrogate pair", Assert.Throws<ArgumentException>(() => CreatePool().SubscribeAsync("\ud83d")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task NotifyWithoutQuotes_FoldsToLowerCase_SoCapitalsAreAnotherChannel()
    {
        var pool = CreatePool();
        await using var lower = await Subscriber.BeginAsync(pool, "orders");
        await using var upper = await Subscriber.BeginAsync(pool, "Orders");
        await PrepareDatabaseAsync("NOTIFY Orders, 'folded'; NOTIFY \"Orders\", 'quoted'");

        Assert.Equal(["folded"], await lower.PayloadsAsync(1));
        Assert.Equal(["quoted"], await upper.PayloadsAsync(1));
    }
}
