using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What reading a text costs has a bound, whatever the text. Measured in bytes, which are the same on every machine; the time goes with them.</summary>
public sealed class SqlResourceTests
{
    private const int Size = SqlTokens.MostCharacters;
    private const int MostBytes = 20_000_000;

    public static TheoryData<string> Shapes => [.. HostileTexts.Shapes.Keys];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void OneMegabyte_OfAnyShape_IsReadWithinItsBound(string shape)
    {
        var bytes = BytesFor(HostileTexts.Shapes[shape](Size));

        Assert.True(bytes < MostBytes, $"{bytes:N0} bytes");
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TwiceTheText_CostsTwiceTheMemory(string shape)
    {
        var sizes = new[] { Size / 16, Size / 8, Size / 4, Size / 2, Size };
        var bytes = sizes.Select(size => BytesFor(HostileTexts.Shapes[shape](size))).ToList();

        Assert.All(bytes, count => Assert.InRange(count, 0, MostBytes)); // A shape may have fewer tokens than are read at half the size only.
        for (var i = 1; i < sizes.Length; i++)
        {
            // Lists double, so that one step of several may cost more than twice, and the next ones less.
            Assert.True(bytes[i] <= (2.2 * bytes[i - 1]) + 500_000, $"{string.Join(", ", bytes.Select(count => $"{count:N0}"))} bytes");
        }
    }

    [Fact]
    public void TextBeyondTheBound_IsUnknownAndNotRead()
    {
        var text = "SELECT '" + new string('x', Size) + "'";
        var bytes = BytesFor(text);

        var verdict = SqlVerdict.Of(text);
        Assert.True(bytes < 10_000, $"{bytes:N0} bytes");
        Assert.Equal((StatementKind.Unknown, SessionEffects.Unknown, false), (verdict.Kind, verdict.Effects, verdict.IsReadCandidate));
    }

    [Fact]
    public void TextWithinTheBounds_IsReadToItsEnd()
    {
        var rows = string.Join(", ", Enumerable.Range(0, 65_535 / 3).Select(i => $"(@p{3 * i}, @p{(3 * i) + 1}, @p{(3 * i) + 2})"));
        var verdict = SqlVerdict.Of($"INSERT INTO item (a, b, c) VALUES {rows} RETURNING id");

        Assert.Equal((StatementKind.Insert, SessionEffects.None), (verdict.Kind, verdict.Effects));
    }

    [Theory]
    [InlineData(SqlTokens.MostTokens)]
    [InlineData(SqlTokens.MostTokens + 1)]
    public void Tokens_AreReadUpToTheBound(int count)
    {
        var verdict = SqlVerdict.Read("SELECT" + string.Concat(Enumerable.Repeat(" 1", count - 1)));

        Assert.Equal(count > SqlTokens.MostTokens ? SessionEffects.Unknown : SessionEffects.None, verdict.Effects);
    }

    [Theory]
    [InlineData(VerdictBuilder.MostNames)]
    [InlineData(VerdictBuilder.MostNames + 1)]
    public void Names_AreKeptUpToTheBound(int count)
    {
        var verdict = SqlVerdict.Read("SELECT " + string.Join(", ", Enumerable.Range(0, count).Select(i => $"a{i}()")));

        Assert.Equal(count > VerdictBuilder.MostNames ? SessionEffects.Unknown : SessionEffects.None, verdict.Effects);
        Assert.Equal(VerdictBuilder.MostNames, verdict.Functions.Count);
    }

    [Theory]
    [InlineData(VerdictBuilder.MostStatements)]
    [InlineData(VerdictBuilder.MostStatements + 1)]
    public void Statements_AreReadUpToTheBound(int count)
    {
        var verdict = SqlVerdict.Read(string.Concat(Enumerable.Repeat("SELECT 1;", count)));

        Assert.Equal(count > VerdictBuilder.MostStatements, verdict.Has(StatementKind.Unknown));
        Assert.Equal(count > VerdictBuilder.MostStatements, verdict.Effects == SessionEffects.Unknown);
    }

    [Theory]
    [InlineData((VerdictBuilder.MostDepth - 1) / 2, false)]
    [InlineData(VerdictBuilder.MostDepth, true)]
    [InlineData(5_000, true)]
    public void BlocksInBlocks_AreReadUpToTheBound(int depth, bool isUnknown)
    {
        var opened = string.Concat(Enumerable.Range(0, depth).Select(i => $"DO $d{i}$BEGIN EXECUTE $e{i}$"));
        var closed = string.Concat(Enumerable.Range(0, depth).Reverse().Select(i => $"$e{i}$;END$d{i}$"));

        Assert.Equal(isUnknown ? SessionEffects.Unknown : SessionEffects.None, SqlVerdict.Read(opened + "SELECT 1" + closed).Effects);
        Assert.Equal(isUnknown, SqlVerdict.ReadProcedure("BEGIN " + opened + "SELECT 1" + closed + "; END").Effects.HasFlag(SessionEffects.Unknown));
    }

    private static long BytesFor(string sql)
    {
        SqlVerdict.Read("SELECT 1");
        var before = GC.GetAllocatedBytesForCurrentThread();
        SqlVerdict.Read(sql);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
