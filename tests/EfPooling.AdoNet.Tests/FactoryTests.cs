using System.Data.Common;

namespace EfPooling.AdoNet.Tests;

public sealed class FactoryTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly DbProviderFactory Factory = TransactionPoolingFactory.Instance;

    public override async ValueTask DisposeAsync()
    {
        await TransactionPoolingFactory.Instance.CloseAllPoolsAsync(Patience);
        await base.DisposeAsync();
    }

    [Fact]
    public async Task Everything_WorksTogether()
    {
        await using var connection = Factory.CreateConnection()!;
        var keywords = Factory.CreateConnectionStringBuilder()!;
        keywords.ConnectionString = ConnectionString;
        connection.ConnectionString = keywords.ConnectionString;
        await connection.OpenAsync();
        await using var command = Factory.CreateCommand()!;
        command.Connection = connection;
        command.CommandText = "SELECT @a";
        var parameter = Factory.CreateParameter()!;
        parameter.ParameterName = "a";
        parameter.Value = 42;
        command.Parameters.Add(parameter);
        Assert.Equal(42, await command.ExecuteScalarAsync());

        await using var batch = Factory.CreateBatch()!;
        batch.Connection = connection;
        var batchCommand = Factory.CreateBatchCommand()!;
        batchCommand.CommandText = "SELECT 43";
        batch.BatchCommands.Add(batchCommand);
        Assert.Equal(43, await batch.ExecuteScalarAsync());
        Assert.True(Factory.CanCreateBatch);

        using var adapter = Factory.CreateDataAdapter()!;
        adapter.SelectCommand = command;
        using var table = new System.Data.DataTable();
        adapter.Fill(table);
        Assert.Equal(42, table.Rows[0][0]);
        Assert.True(Factory.CanCreateDataAdapter);
        Assert.True(Factory.CanCreateCommandBuilder);
        Assert.IsType<LogicalCommandBuilder>(Factory.CreateCommandBuilder());
    }

    [Fact]
    public async Task Connections_WithTheSameString_ShareAPool()
    {
        await using var first = (LogicalConnection)Factory.CreateConnection()!;
        await using var second = (LogicalConnection)Factory.CreateConnection()!;
        first.ConnectionString = ConnectionString + ";Application Name=shared";
        second.ConnectionString = "Application Name=shared;" + ConnectionString;

        Assert.Same(first.Pool, second.Pool);
    }

    [Fact]
    public async Task CloseAllPools_ClosesThem_AndLaterConnectionsGetNewOnes()
    {
        await using var connection = (LogicalConnection)Factory.CreateConnection()!;
        connection.ConnectionString = ConnectionString + ";Application Name=closed together";
        var pool = connection.Pool!;
        await connection.OpenAsync();
        await connection.CloseAsync();

        await TransactionPoolingFactory.Instance.CloseAllPoolsAsync(Patience);

        Assert.Equal(Core.PoolPhase.Closed, pool.GetSnapshot().Phase);
        await using var later = (LogicalConnection)Factory.CreateConnection()!;
        later.ConnectionString = ConnectionString + ";Application Name=closed together";
        Assert.NotSame(pool, later.Pool);
        await later.OpenAsync();
    }

    [Fact]
    public async Task ClosingOnePool_LeavesTheOthersOpen()
    {
        await using var first = (LogicalConnection)Factory.CreateConnection()!;
        await using var second = (LogicalConnection)Factory.CreateConnection()!;
        first.ConnectionString = ConnectionString + ";Application Name=one";
        second.ConnectionString = ConnectionString + ";Application Name=two";
        await second.OpenAsync();

        await first.Pool!.DisposeAsync();

        Assert.Equal(1, await second.AskAsync<int>("SELECT 1"));
        await using var again = (LogicalConnection)Factory.CreateConnection()!;
        again.ConnectionString = ConnectionString + ";Application Name=one";
        await again.OpenAsync();
    }

    [Fact]
    public async Task CreateDataSource_GivesAPoolOfItsOwn()
    {
        await using var source = Factory.CreateDataSource(ConnectionString);
        await using var connection = await source.OpenConnectionAsync();

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        Assert.IsType<TransactionPoolingDataSource>(source);
    }

    [Fact]
    public void UnknownKeyword_IsRefused_AndNotRemembered()
    {
        using var connection = Factory.CreateConnection()!;

        Assert.Throws<ArgumentException>(() => connection.ConnectionString = ConnectionString + ";Nonsense=1");
        Assert.Throws<Core.InvalidPoolOptionsException>(() => connection.ConnectionString = ConnectionString + ";Pooling=false");
        Assert.Throws<Core.InvalidPoolOptionsException>(() => connection.ConnectionString = ConnectionString + ";Pooling=false");
        Assert.Equal("", connection.ConnectionString);
    }
}
