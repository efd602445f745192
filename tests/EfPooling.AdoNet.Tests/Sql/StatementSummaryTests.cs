using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet.Tests;

public sealed class StatementSummaryTests
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
}
