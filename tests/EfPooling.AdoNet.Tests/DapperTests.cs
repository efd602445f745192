using System.Data;
using Dapper;

namespace EfPooling.AdoNet.Tests;

public sealed class DapperTests(ServerFixture fixture) : PoolTest(fixture)
{
    private sealed record Person(int Id, string Name);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS person; CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL); INSERT INTO person VALUES (1, 'Ada'), (2, 'Bob')");
    }

    [Fact]
    public async Task Queries_Asynchronously()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();

        Assert.Equal(["Ada", "Bob"], (await connection.QueryAsync<Person>("SELECT id, name FROM person ORDER BY id")).Select(person => person.Name));
        Assert.Equal("Bob", (await connection.QuerySingleAsync<Person>("SELECT id, name FROM person WHERE id = @id", new { id = 2 })).Name);
        Assert.Equal(2, await connection.ExecuteScalarAsync<int>("SELECT count(*) FROM person"));
        Assert.Equal(1, await connection.ExecuteAsync("INSERT INTO person VALUES (@Id, @Name)", new Person(3, "Cy")));
        await using (var grid = await connection.QueryMultipleAsync("SELECT 1; SELECT name FROM person ORDER BY id"))
        {
            Assert.Equal(1, await grid.ReadSingleAsync<int>());
            Assert.Equal(3, (await grid.ReadAsync<string>()).Count());
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public void Queries_Synchronously()
    {
        var pool = CreatePool();
        using var connection = pool.OpenConnection();

        Assert.Equal(["Ada", "Bob"], connection.Query<Person>("SELECT id, name FROM person ORDER BY id").Select(person => person.Name));
        Assert.Equal("Ada", connection.Query<Person>("SELECT id, name FROM person ORDER BY id", buffered: false).First().Name);
        Assert.Equal(2, connection.Execute("INSERT INTO person VALUES (@Id, @Name)", new[] { new Person(4, "Di"), new Person(5, "Ed") }));
        using (var grid = connection.QueryMultiple("SELECT 1; SELECT 2"))
        {
            Assert.Equal((1, 2), (grid.ReadSingle<int>(), grid.ReadSingle<int>()));
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task ClosedConnection_IsOpenedAndClosedAroundAQuery()
    {
        var pool = CreatePool();
        await using var connection = pool.CreateConnection();

        Assert.Equal(2, (await connection.QueryAsync<Person>("SELECT id, name FROM person")).Count());
        Assert.Equal(2, connection.Query<Person>("SELECT id, name FROM person").Count());
        Assert.Equal(1, await connection.ExecuteScalarAsync<int>("SELECT 1"));
        using (var reader = await connection.ExecuteReaderAsync("SELECT 1"))
        {
            Assert.True(reader.Read());
        }

        Assert.Equal(ConnectionState.Closed, connection.State);
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task Transaction_IsPassedOn()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.ExecuteAsync("DELETE FROM person", transaction: transaction);
            Assert.Empty(await connection.QueryAsync<Person>("SELECT id, name FROM person", transaction: transaction));
            await transaction.RollbackAsync();
        }

        Assert.Equal(2, (await connection.QueryAsync<Person>("SELECT id, name FROM person")).Count());
    }

    [Fact]
    public async Task OutputParameters_AreFilled()
    {
        await PrepareDatabaseAsync("CREATE OR REPLACE PROCEDURE doubled(a int, INOUT b int) LANGUAGE plpgsql AS $$ BEGIN b := 2 * a; END $$");
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        var parameters = new DynamicParameters(new { a = 21 });
        parameters.Add("b", 0, direction: ParameterDirection.InputOutput);

        await connection.ExecuteAsync("doubled", parameters, commandType: CommandType.StoredProcedure);

        Assert.Equal(42, parameters.Get<int>("b"));
    }

    [Fact]
    public async Task ManyConcurrentQueries_OnFewServerConnections_AllGetTheirOwnRows()
    {
        var pool = CreatePool(maxPoolSize: 3);
        await Task.WhenAll(Enumerable.Range(0, 300).Select(async i =>
        {
            await using var connection = pool.CreateConnection();
            Assert.Equal(i, await connection.QuerySingleAsync<int>("SELECT @i", new { i }));
        }));

        Assert.True(pool.GetSnapshot().Opened <= 3);
    }

    [Fact]
    public async Task Query_WithAnArrayParameter_PassesAnArray()
    {
        await using var connection = await CreatePool().OpenConnectionAsync();

        var found = await connection.QueryAsync<int>("SELECT i FROM generate_series(1, 9) i WHERE i = ANY(@ids)", new { ids = new[] { 2, 4 } });

        Assert.Equal([2, 4], found);
    }
}
