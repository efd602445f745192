using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What the keywords of a connection string do. Opens nothing.</summary>
public sealed class KeywordTests
{
    private const string Base = "Host=nowhere;Database=orders;Username=me";

    [Theory]
    [InlineData("Maximum Pool Size=7")]
    [InlineData("MaxPoolSize=7")]
    public void PoolingKeywords_SetTheOptionsOfTheSameMeaning(string size)
    {
        var options = Create($"{Base};{size};Minimum Pool Size=3;Connection Lifetime=11;Connection Idle Lifetime=12;Timeout=13").Options;

        Assert.Equal((7, 3), (options.MaxPoolSize, options.MinPoolSize));
        Assert.Equal((Seconds(11), Seconds(12)), (options.ServerLifetime, options.ServerIdleTimeout));
        Assert.Equal((Seconds(13), Seconds(13)), (options.QueryWaitTimeout, options.ServerConnectTimeout));
    }

    [Fact]
    public void AbsentKeywords_LeaveTheDefaults()
    {
        var defaults = new TransactionPoolingOptions();
        var options = Create(Base).Options;

        Assert.Equal(defaults with { Name = "orders@nowhere" }, options);
    }

    [Fact]
    public void TimeoutZero_MeansWithoutLimit_ButConnectingStaysLimited()
    {
        var options = Create($"{Base};Timeout=0").Options;

        Assert.Equal((TimeSpan.Zero, Seconds(15)), (options.QueryWaitTimeout, options.ServerConnectTimeout));
    }

    [Fact]
    public void ExplicitOption_Wins()
    {
        var pool = TransactionPoolingDataSource.Create($"{Base};Maximum Pool Size=7;Timeout=13", options =>
        {
            Assert.Equal(7, options.MaxPoolSize);
            options.MaxPoolSize = 8;
            options.Name = "mine";
        });

        Assert.Equal((8, Seconds(13), "mine"), (pool.Options.MaxPoolSize, pool.Options.QueryWaitTimeout, pool.Name));
    }

    [Theory]
    [InlineData("Pooling=false", "Pooling=false")]
    [InlineData("Multiplexing=true", "Multiplexing=true")]
    [InlineData("Maximum Pool Size=7;Minimum Pool Size=8", "MinPoolSize is 8")]
    public void Contradiction_IsRefusedByName(string keywords, string named)
    {
        var error = Assert.Throws<InvalidPoolOptionsException>(() => Create($"{Base};{keywords}"));

        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Contradictions_AreReportedTogether()
    {
        var error = Assert.Throws<InvalidPoolOptionsException>(() => Create($"{Base};Pooling=false;Multiplexing=true"));

        Assert.Contains("Pooling=false", error.Message, StringComparison.Ordinal);
        Assert.Contains("Multiplexing=true", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Nonsense=1", "nonsense")]
    [InlineData("Maximum Pool Size=many", "Maximum Pool Size")]
    [InlineData("Port=-1", "Port")]
    public void UnknownKeywordOrBadValue_IsRefusedByName(string keywords, string named)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => Create($"{Base};{keywords}"));

        Assert.Contains(named, error.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void NoHost_IsRefused()
    {
        var error = Assert.Throws<InvalidPoolOptionsException>(() => Create("Database=orders"));
        Assert.Contains("Host", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void EmptyConnectionString_IsRefused(string connectionString)
        => Assert.Throws<ArgumentException>(() => new TransactionPoolingDataSourceBuilder(connectionString));

    [Fact]
    public void BadOption_IsRefusedByName()
    {
        var error = Assert.Throws<InvalidPoolOptionsException>(() => TransactionPoolingDataSource.Create(Base, options => options.PoolMode = (PoolMode)9));
        Assert.Contains("PoolMode is 9", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ServerConnections_AreUnpooled_NotEnlisted_AndPrepared()
    {
        var options = new TransactionPoolingOptions { ServerConnectTimeout = TimeSpan.FromMilliseconds(1500) };
        var keywords = Server($"{Base};Keepalive=9;Command Timeout=8", options);

        Assert.Equal((false, false, 2, 200), (keywords.Pooling, keywords.Enlist, keywords.Timeout, keywords.MaxAutoPrepare));
        Assert.Equal((9, 8, "orders"), (keywords.KeepAlive, keywords.CommandTimeout, keywords.Database));
        Assert.Equal(5, Server($"{Base};Max Auto Prepare=5", options).MaxAutoPrepare);
    }

    private static TransactionPoolingDataSource Create(string connectionString) => TransactionPoolingDataSource.Create(connectionString);

    private static NpgsqlConnectionStringBuilder Server(string connectionString, TransactionPoolingOptions options)
        => new(ConnectionStringKeywords.ForServerConnections(new NpgsqlConnectionStringBuilder(connectionString), options));

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public async Task EmptyName_IsNoName()
    {
        await using var pool = TransactionPoolingDataSource.Create("Host=db;Database=orders", options => options.Name = "");

        Assert.Equal("orders@db", pool.Name);
    }
}
