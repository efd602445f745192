using System.Data;
using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

public sealed class ConnectionTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Properties_DescribeTheServer()
    {
        var pool = CreatePool(keywords: "Timeout=7");
        await using var connection = pool.CreateConnection();
        var keywords = new NpgsqlConnectionStringBuilder(ConnectionString);

        Assert.Equal(keywords.Database, connection.Database);
        Assert.Contains($"{keywords.Host}:{keywords.Port}", connection.DataSource, StringComparison.Ordinal);
        Assert.Equal(7, connection.ConnectionTimeout);
        Assert.Same(pool, connection.Pool);
        Assert.True(connection.CanCreateBatch);
        Assert.Throws<InvalidOperationException>(() => connection.ServerVersion);
        await connection.OpenAsync();
        Assert.StartsWith($"{Server.MajorVersion}.", connection.ServerVersion, StringComparison.Ordinal);
        Assert.Same(TransactionPoolingFactory.Instance, DbProviderFactories.GetFactory(connection));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StateChange_IsRaisedOncePerChange(bool asynchronous)
    {
        var pool = CreatePool();
        var connection = pool.CreateConnection();
        var changes = new List<string>();
        connection.StateChange += (sender, change) =>
        {
            Assert.Same(connection, sender);
            Assert.Equal(change.CurrentState, connection.State);
            changes.Add($"{change.OriginalState}-{change.CurrentState}");
        };

        for (var i = 0; i < 2; i++)
        {
            if (asynchronous)
            {
                await connection.OpenAsync();
                await connection.RunAsync("SELECT 1");
                await connection.CloseAsync();
                await connection.CloseAsync();
            }
            else
            {
                connection.Open();
                connection.Run("SELECT 1");
                connection.Close();
                connection.Close();
            }
        }

        connection.Dispose();
        Assert.Equal(["Closed-Open", "Open-Closed", "Closed-Open", "Open-Closed"], changes);
    }

    [Fact]
    public async Task Open_WhenOpen_IsRefused()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();

        Assert.Throws<InvalidOperationException>(connection.Open);
        await Assert.ThrowsAsync<InvalidOperationException>(() => connection.OpenAsync());
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ChangeDatabase_MovesToTheOtherDatabasesPool(bool asynchronous)
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        if (asynchronous)
        {
            await connection.ChangeDatabaseAsync("postgres");
        }
        else
        {
            connection.ChangeDatabase("postgres");
        }

        Assert.Equal(("postgres", ConnectionState.Open), (connection.Database, connection.State));
        Assert.Equal("postgres", await connection.AskAsync<string>("SELECT current_database()::text"));
        Assert.NotSame(pool, connection.Pool);
        Assert.Equal(pool.GetSnapshot().MaxPoolSize, connection.Pool!.GetSnapshot().MaxPoolSize);
    }

    [Fact]
    public async Task ChangeDatabase_ToNothing_LeavesTheConnectionAsItWas()
    {
        var pool = CreatePool();
        await using var connection = pool.CreateConnection();
        Assert.Throws<InvalidOperationException>(() => connection.ChangeDatabase("postgres"));
        await connection.OpenAsync();

        Assert.Throws<ArgumentException>(() => connection.ChangeDatabase(" "));
        await Assert.ThrowsAsync<PostgresException>(() => connection.ChangeDatabaseAsync("no_such_database"));

        Assert.Equal(ConnectionState.Closed, connection.State);
    }

    [Fact]
    public async Task ConnectionString_SelectsThePool_WhileClosed()
    {
        var pool = CreatePool();
        await using var connection = pool.CreateConnection();
        connection.ConnectionString = pool.ConnectionString;
        Assert.Same(pool, connection.Pool);

        connection.ConnectionString = $"{ConnectionString};Application Name=another";
        var other = Watch(connection.Pool!);
        Assert.NotSame(pool, other);
        await connection.OpenAsync();
        Assert.Equal("another", await connection.AskAsync<string>("SHOW application_name"));
        Assert.Throws<InvalidOperationException>(() => connection.ConnectionString = ConnectionString);
        await connection.CloseAsync();

        connection.ConnectionString = $"Application Name=another;{ConnectionString}";
        Assert.Same(other, connection.Pool);
        connection.ConnectionString = null;
        Assert.Equal(("", "", ""), (connection.ConnectionString, connection.Database, connection.DataSource));
        var error = Assert.Throws<InvalidOperationException>(connection.Open);
        Assert.Contains("connection string has not been set", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clone_IsAClosedConnectionToTheSamePool()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();

        await using var clone = (LogicalConnection)connection.Clone();

        Assert.Equal(ConnectionState.Closed, clone.State);
        Assert.Same(pool, clone.Pool);
        await clone.OpenAsync();
        Assert.Equal(1, await clone.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task Close_WithAnOpenReader_ClosesIt()
    {
        var pool = CreatePool();
        var connection = await pool.OpenConnectionAsync();
        var reader = await connection.ReadAsync("SELECT generate_series(1, 1000)");
        await reader.ReadAsync();

        await connection.DisposeAsync();

        Assert.True(reader.IsClosed);
        Assert.Equal(0, pool.GetSnapshot().InUse);
        await reader.DisposeAsync();
    }

    [Fact]
    public async Task Close_WhileAStatementRuns_LetsItFinish()
    {
        var pool = CreatePool(maxPoolSize: 1);
        var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var running = connection.AskAsync<string>($"SELECT 'done' FROM {Gate.Wait}");
        await WaitForQueryAsync(pool, Gate.Wait);

        await connection.CloseAsync();
        await connection.OpenAsync();
        var next = connection.AskAsync<int>("SELECT 1");
        await gate.OpenAsync();

        Assert.Equal("done", await running);
        Assert.Equal(1, await next);
        await connection.DisposeAsync();
    }
}
