using System.Data;

namespace EfPooling.AdoNet.Tests;

public sealed class SchemaTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'a'), (2, 'b')");
    }

    [Fact]
    public async Task GetSchema_TakesAServerConnectionOnlyWhileItRuns()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();

        Assert.NotEmpty(connection.GetSchema().Rows);
        Assert.NotEmpty((await connection.GetSchemaAsync()).Rows);
        Assert.NotEmpty(connection.GetSchema("DataTypes").Rows);
        Assert.NotEmpty((await connection.GetSchemaAsync("DataTypes")).Rows);
        Assert.Equal(2, connection.GetSchema("Columns", [null, null, "item"]).Rows.Count);
        Assert.Equal(2, (await connection.GetSchemaAsync("Columns", [null, null, "item"])).Rows.Count);
        Assert.ThrowsAny<ArgumentException>(() => connection.GetSchema("nonsense"));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => connection.GetSchemaAsync("nonsense"));

        Assert.Equal((0, 1L), (pool.GetSnapshot().InUse, pool.GetSnapshot().Opened));
    }

    [Fact]
    public async Task GetSchema_InATransaction_SeesItsTables()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("CREATE TABLE uncommitted (id int)");

        Assert.Single((await connection.GetSchemaAsync("Tables", [null, null, "uncommitted"])).Rows);
        Assert.Single(connection.GetSchema("Tables", [null, null, "uncommitted"]).Rows);
    }

    [Fact]
    public async Task DataTable_LoadsAReader()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        using var table = new DataTable();
        await using (var reader = await connection.ReadAsync("SELECT id, name FROM item ORDER BY id"))
        {
            Assert.Equal(["id", "name"], (await reader.GetColumnSchemaAsync()).Select(column => column.ColumnName));
            table.Load(reader);
        }

        Assert.Equal((2, "b"), (table.Rows.Count, table.Rows[1]["name"]));
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task DataAdapter_FillsAndUpdates()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        using var adapter = new LogicalDataAdapter();
        adapter.SelectCommand = new LogicalCommand("SELECT id, name FROM item ORDER BY id", connection);
        adapter.UpdateCommand = new LogicalCommand("UPDATE item SET name = @name WHERE id = @id", connection);
        adapter.UpdateCommand.Parameters.Add(new Npgsql.NpgsqlParameter("name", NpgsqlTypes.NpgsqlDbType.Text, 0, "name"));
        adapter.UpdateCommand.Parameters.Add(new Npgsql.NpgsqlParameter("id", NpgsqlTypes.NpgsqlDbType.Integer, 0, "id"));
        using var table = new DataTable();

        Assert.Equal(2, adapter.Fill(table));
        table.Rows[0]["name"] = "changed";
        Assert.Equal(1, adapter.Update(table));

        Assert.Equal("changed", await connection.AskAsync<string>("SELECT name FROM item WHERE id = 1"));
        using var schema = new DataTable();
        adapter.FillSchema(schema, SchemaType.Source);
        Assert.Equal("id", Assert.Single(schema.PrimaryKey).ColumnName);
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }
}
