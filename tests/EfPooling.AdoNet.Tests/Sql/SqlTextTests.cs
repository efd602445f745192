using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet.Tests;

public sealed class SqlTextTests
{
    [Fact]
    public void StatementWith_IsTheFirstOneWithTheEffect_OnOneLine()
        => Assert.Equal("LISTEN news", SqlVerdict.Of("SELECT 1;\nLISTEN /* a */\n news; LISTEN other").StatementWith(SessionEffects.Listen));

    [Fact]
    public void StatementWith_LeavesOutWhatLongConstantsContain()
        => Assert.Equal("SET a.b = '…'", SqlVerdict.Of("SET a.b = 'a secret that is much too long to show'").StatementWith(SessionEffects.Settings));

    [Fact]
    public void StatementWith_IsShort()
        => Assert.Equal(121, SqlVerdict.Of($"SET a = {string.Join(", ", Enumerable.Range(0, 100))}").StatementWith(SessionEffects.Settings)!.Length);

    [Fact]
    public void StatementWith_IsNothing_ForOtherEffects() => Assert.Null(SqlVerdict.Of("SET a = 1").StatementWith(SessionEffects.Listen));

    [Fact]
    public void Shorten_LeavesOutTagsAndComments()
        => Assert.Equal("SELECT name FROM item", SqlText.Shorten("-- File: /src/Shop.cs:7\n\n/* a */ SELECT name -- b\r\nFROM item"));

    [Fact]
    public void Shorten_LeavesOutWhatLongConstantsContain()
        => Assert.Equal("SELECT 1 WHERE 'short' <> '…' AND '…' <> ''", SqlText.Shorten(@"SELECT 1 WHERE 'short' <> E'a secret that is \'much\' too long' AND $a$another secret, as long$a$ <> ''"));

    [Fact]
    public void Shorten_ReadsNoMoreThanItShows() => Assert.Equal("SELECT '…'", SqlText.Shorten($"SELECT '{new string('x', 10_000_000)}'"));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" -- only a tag")]
    public void ShortenOrNull_IsNothing_WithoutSql(string? sql) => Assert.Null(SqlText.ShortenOrNull(sql));
}
