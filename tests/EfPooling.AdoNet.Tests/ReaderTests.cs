using System.Data;
using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

public sealed class ReaderTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Results_AreReadOneAfterTheOther(bool asynchronous)
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT 1; SELECT 2 WHERE false; SELECT 3, 4", connection);
        var seen = new List<string>();
        await using (var reader = asynchronous ? await command.ExecuteReaderAsync() : command.ExecuteReader())
        {
            do
            {
                seen.Add($"{reader.HasRows}/{reader.FieldCount}/{reader.VisibleFieldCount}/{reader.Depth}");
                while (asynchronous ? await reader.ReadAsync() : reader.Read())
                {
                    seen.Add(string.Join(',', Enumerable.Range(0, reader.FieldCount).Select(reader.GetInt32)));
                }
            }
            while (asynchronous ? await reader.NextResultAsync() : reader.NextResult());
        }

        Assert.Equal(["True/1/1/0", "1", "False/1/1/0", "True/2/2/0", "3,4"], seen);
    }

    [Fact]
    public async Task RecordsAffected_IsKnownAfterClose()
    {
        await PrepareDatabaseAsync("CREATE TABLE IF NOT EXISTS counted (id int)");
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();

        var reader = await connection.ReadAsync("INSERT INTO counted SELECT generate_series(1, 3)");
        await reader.CloseAsync();
        Assert.Equal(3, reader.RecordsAffected);
        using var command = new LogicalCommand("UPDATE counted SET id = 1", connection);
        var second = command.ExecuteReader();
        second.Close();
        Assert.Equal(3, second.RecordsAffected);
        Assert.Equal(3, connection.Run("DELETE FROM counted"));
    }

    [Fact]
    public async Task Values_OfEveryGetter_AreTheInnerReaders()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync(
            """
            SELECT true, 1::smallint, 2, 3::bigint, 1.5::real, 2.5::float8, 3.5::numeric, 'text' AS text, 'c'::char(1), '\x0102'::bytea,
                   '11111111-2222-3333-4444-555555555555'::uuid, timestamp '2020-01-02 03:04:05', NULL::int, ARRAY[1,2], int4range(1, 3), '{"a":1}'::jsonb
            """);
        Assert.True(await reader.ReadAsync());

        Assert.True(reader.GetBoolean(0));
        Assert.Equal((1, (byte)1, 2, 3L), (reader.GetInt16(1), reader.GetByte(1), reader.GetInt32(2), reader.GetInt64(3)));
        Assert.Equal((1.5f, 2.5, 3.5m), (reader.GetFloat(4), reader.GetDouble(5), reader.GetDecimal(6)));
        Assert.Equal(("text", 'c', "t"), (reader.GetString(7), reader.GetChar(8), new string(Chars(reader))));
        Assert.Equal(2, reader.GetBytes(9, 0, null, 0, 0));
        Assert.Equal(Guid.Parse("11111111-2222-3333-4444-555555555555"), reader.GetGuid(10));
        Assert.Equal(new DateTime(2020, 1, 2, 3, 4, 5), reader.GetDateTime(11));
        Assert.True(reader.IsDBNull(12));
        Assert.Equal([1, 2], reader.GetFieldValue<int[]>(13));
        Assert.Equal("[1,3)", (await reader.GetFieldValueAsync<NpgsqlTypes.NpgsqlRange<int>>(14)).ToString());
        Assert.Equal("""{"a": 1}""", reader.GetFieldValue<string>(15));
        Assert.Equal(("text", "text", 7), (reader[7], reader["text"], reader.GetOrdinal("text")));
        Assert.Equal(("int4", "integer"), ("int4", reader.GetDataTypeName(2)));
        Assert.Equal((typeof(int), typeof(int)), (reader.GetFieldType(2), reader.GetProviderSpecificFieldType(2)));
        Assert.Equal(2, reader.GetProviderSpecificValue(2));
        var values = new object[20];
        Assert.Equal((16, 16), (reader.GetValues(values), reader.GetProviderSpecificValues(values)));
        Assert.Equal(DBNull.Value, reader.GetValue(12));
    }

    [Fact]
    public async Task Streams_ReadWhatTheServerSent()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand(@"SELECT decode(repeat('ab', 20000), 'hex'), repeat('x', 20000)", connection);
        foreach (var behavior in new[] { CommandBehavior.Default, CommandBehavior.SequentialAccess })
        {
            await using var reader = await command.ExecuteReaderAsync(behavior);
            Assert.True(await reader.ReadAsync());
            await using (var stream = reader.GetStream(0))
            {
                using var copy = new MemoryStream();
                await stream.CopyToAsync(copy);
                Assert.Equal(20_000, copy.Length);
            }

            using var text = reader.GetTextReader(1);
            Assert.Equal(20_000, (await text.ReadToEndAsync()).Length);
        }
    }

    [Fact]
    public async Task NestedReader_ReadsRowsInsideAColumn()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync("SELECT ARRAY[ROW(1, 'a'), ROW(2, 'b')]");
        Assert.True(await reader.ReadAsync());

        using var nested = reader.GetData(0);
        var rows = new List<string>();
        while (nested.Read())
        {
            rows.Add($"{nested.GetInt32(0)}{nested.GetString(1)}");
        }

        Assert.Equal(["1a", "2b"], rows);
    }

    [Fact]
    public async Task NestedReader_OffersWhatAReaderOffers()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync(
            """
            SELECT ROW(true, 1::smallint, 2, 3::bigint, 1.5::real, 2.5::float8, 3.5::numeric, 'text'::text, '\x0102'::bytea,
                       '11111111-2222-3333-4444-555555555555'::uuid, timestamp '2020-01-02 03:04:05', NULL::int, ARRAY[ROW(5)])
            """);
        Assert.True(await reader.ReadAsync());
        await using var nested = reader.GetData(0);
        Assert.True(nested.HasRows);
        Assert.True(await nested.ReadAsync());

        Assert.Equal((13, 13, 1, -1, false), (nested.FieldCount, nested.VisibleFieldCount, nested.Depth, nested.RecordsAffected, nested.IsClosed));
        Assert.True(nested.GetBoolean(0));
        Assert.Equal((1, (byte)1, 2, 3L), (nested.GetInt16(1), nested.GetByte(1), nested.GetInt32(2), nested.GetInt64(3)));
        Assert.Equal((1.5f, 2.5, 3.5m), (nested.GetFloat(4), nested.GetDouble(5), nested.GetDecimal(6)));
        Assert.Equal(("text", 't', "text"), (nested.GetString(7), nested.GetChar(7), nested.GetTextReader(7).ReadToEnd()));
        Assert.Equal((2L, 2L), (nested.GetBytes(8, 0, new byte[2], 0, 2), nested.GetStream(8).Length));
        Assert.Throws<NotSupportedException>(() => nested.GetChars(7, 0, new char[4], 0, 4));
        Assert.Equal(Guid.Parse("11111111-2222-3333-4444-555555555555"), nested.GetGuid(9));
        Assert.Equal(new DateTime(2020, 1, 2, 3, 4, 5), nested.GetDateTime(10));
        Assert.True(nested.IsDBNull(11));
        Assert.True(await nested.IsDBNullAsync(11));
        Assert.Equal((2, 2, 2), (nested.GetFieldValue<int>(2), await nested.GetFieldValueAsync<int>(2), nested[2]));
        Assert.Equal((typeof(int), "integer", 2), (nested.GetFieldType(2), nested.GetDataTypeName(2), nested.GetProviderSpecificValue(2)));
        Assert.Equal((13, 13), (nested.GetValues(new object[13]), nested.GetProviderSpecificValues(new object[13])));
        using (var innermost = nested.GetData(12))
        {
            Assert.True(innermost.Read());
            Assert.Equal(5, innermost.GetInt32(0));
        }

        Assert.False(nested.Read());
        Assert.False(await nested.NextResultAsync());
        await nested.CloseAsync();
        Assert.True(nested.IsClosed);
    }

    [Fact]
    public async Task Enumerator_GivesRecords()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync("SELECT generate_series(1, 3)");

        Assert.Equal([1, 2, 3], reader.Cast<DbDataRecord>().Select(record => record.GetInt32(0)));
    }

    [Fact]
    public async Task ErrorInALaterResult_SurfacesThere_AndTheConnectionGoesOn()
    {
        var pool = CreateUnshuffledPool();
        await using var connection = await pool.OpenConnectionAsync();
        var reader = await connection.ReadAsync("SELECT 1; SELECT 1/0");
        Assert.True(await reader.ReadAsync());

        await Assert.ThrowsAsync<PostgresException>(() => reader.NextResultAsync());
        await reader.DisposeAsync();
        using (var second = new LogicalCommand("SELECT 1; SELECT 1/0", connection).ExecuteReader())
        {
            Assert.Throws<PostgresException>(() => second.NextResult());
        }

        await using (var third = await connection.ReadAsync("SELECT 1 / (3 - i) FROM generate_series(1, 3) i"))
        {
            await Assert.ThrowsAsync<PostgresException>(async () =>
            {
                while (await third.ReadAsync())
                {
                }
            });
        }

        Assert.Equal((0, 1L), (pool.GetSnapshot().InUse, pool.GetSnapshot().Opened));
    }

    [Fact]
    public async Task UnreadError_SurfacesOnClose_AndTheConnectionGoesOn()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var reader = await connection.ReadAsync("SELECT 1; SELECT 1/0");

        await Assert.ThrowsAsync<PostgresException>(() => reader.CloseAsync());
        await reader.DisposeAsync();
        Assert.True(reader.IsClosed);

        var second = new LogicalCommand("SELECT 1; SELECT 1/0", connection).ExecuteReader();
        Assert.Throws<PostgresException>(second.Close);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    private static char[] Chars(DbDataReader reader)
    {
        var chars = new char[1];
        reader.GetChars(7, 0, chars, 0, 1);
        return chars;
    }
}
