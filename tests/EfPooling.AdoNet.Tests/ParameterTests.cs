using System.Data;
using Npgsql;
using NpgsqlTypes;

namespace EfPooling.AdoNet.Tests;

public sealed class ParameterTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync(
            """
            CREATE OR REPLACE PROCEDURE add_to(a int, INOUT b int, OUT c text) LANGUAGE plpgsql AS $$ BEGIN b := a + b; c := 'sum'; END $$;
            CREATE OR REPLACE FUNCTION twice(a int, OUT b int, OUT c int) LANGUAGE sql AS 'SELECT a, 2 * a';
            """);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StoredProcedure_FillsItsOutputParameters(bool asynchronous)
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "add_to";
        command.CommandType = CommandType.StoredProcedure;
        command.Parameters.AddWithValue("a", 1);
        command.Parameters.Add(new NpgsqlParameter("b", 2) { Direction = ParameterDirection.InputOutput });
        command.Parameters.Add(new NpgsqlParameter("c", NpgsqlDbType.Text) { Direction = ParameterDirection.Output });

        _ = asynchronous ? await command.ExecuteNonQueryAsync() : command.ExecuteNonQuery();

        Assert.Equal((3, "sum"), (command.Parameters["b"].Value, command.Parameters["c"].Value));
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Function_FillsOutputParametersFromItsFirstRow(bool asynchronous)
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT * FROM twice(@a)";
        command.Parameters.AddWithValue("a", 21);
        command.Parameters.Add(new NpgsqlParameter("c", NpgsqlDbType.Integer) { Direction = ParameterDirection.Output });

        _ = asynchronous ? await command.ExecuteNonQueryAsync() : command.ExecuteNonQuery();

        Assert.Equal(42, command.Parameters["c"].Value);
    }

    [Fact]
    public async Task Parameters_OfAllKinds_ArriveOnTheServer()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT concat_ws('|', $1, $2, $3::text, $4->>'a')", connection);
        command.Parameters.AddWithValue(1);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = "it's" });
        command.Parameters.AddWithValue(new[] { 1, 2 });
        command.Parameters.AddWithValue(NpgsqlDbType.Jsonb, """{"a": "b"}""");

        Assert.Equal("1|it's|{1,2}|b", await command.ExecuteScalarAsync());
        Assert.Equal("1|it's|{1,2}|b", command.ExecuteScalar());
        command.Parameters[0].Value = 7;
        Assert.Equal("7|it's|{1,2}|b", command.ExecuteScalar());
    }

    [Fact]
    public async Task Parameter_WithoutAValue_IsRefused_AndTheConnectionGoesOn()
    {
        var pool = CreateUnshuffledPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT $1", connection);
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Integer });

        await Assert.ThrowsAsync<InvalidOperationException>(() => command.ExecuteScalarAsync());
        Assert.Throws<InvalidOperationException>(() => command.ExecuteReader());

        command.Parameters[0].Value = 1;
        Assert.Equal(1, await command.ExecuteScalarAsync());
        Assert.Equal((0, 1L), (pool.GetSnapshot().InUse, pool.GetSnapshot().Opened));
    }

    [Fact]
    public async Task TableDirect_ReadsATable()
    {
        await PrepareDatabaseAsync("CREATE TABLE IF NOT EXISTS direct AS SELECT 42 AS answer");
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("direct", connection) { CommandType = CommandType.TableDirect };

        Assert.Equal(42, await command.ExecuteScalarAsync());
    }

    [Fact]
    public void Command_KeepsItsProperties()
    {
        var pool = CreatePool(keywords: "Command Timeout=9");
        using var connection = pool.CreateConnection();
        using var command = connection.CreateCommand();
        Assert.Equal(9, command.CommandTimeout);
        using var batch = connection.CreateBatch();
        Assert.Equal(9, batch.Timeout);

        command.CommandTimeout = 5;
        command.DesignTimeVisible = true;
        command.UpdatedRowSource = UpdateRowSource.OutputParameters;
        batch.Timeout = 6;

        Assert.Equal((5, true, UpdateRowSource.OutputParameters, CommandType.Text), (command.CommandTimeout, command.DesignTimeVisible, command.UpdatedRowSource, command.CommandType));
        Assert.Equal((6, "", 30), (batch.Timeout, command.CommandText, new LogicalCommand().CommandTimeout));
        Assert.IsType<NpgsqlParameter>(command.CreateParameter());
        command.CommandText = null;
        Assert.Equal("", command.CommandText);
    }
}
