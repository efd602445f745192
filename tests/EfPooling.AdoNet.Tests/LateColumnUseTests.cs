using System.Data;
using System.Data.Common;
using System.Text;

namespace EfPooling.AdoNet.Tests;

/// <summary>Npgsql uses one stream and one text reader for all columns of a connection; what an earlier owner kept must not reach those of the next one.</summary>
public sealed class LateColumnUseTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Public = "SELECT 'public'::bytea, 'public', ARRAY[ROW('public'::bytea, 'public'::text)] FROM generate_series(1, 2)";
    private const string Secret = "SELECT 'secret'::bytea, 'secret', ARRAY[ROW('secret'::bytea, 'secret'::text)] FROM generate_series(1, 2)";

    private static readonly Dictionary<string, Func<DbDataReader, Task<object>>> Columns = new()
    {
        ["GetStream"] = reader => Task.FromResult<object>(reader.GetStream(0)),
        ["GetFieldValue<Stream>"] = reader => Task.FromResult<object>(reader.GetFieldValue<Stream>(0)),
        ["GetFieldValueAsync<Stream>"] = async reader => await reader.GetFieldValueAsync<Stream>(0),
        ["GetTextReader"] = reader => Task.FromResult<object>(reader.GetTextReader(1)),
        ["GetFieldValue<TextReader>"] = reader => Task.FromResult<object>(reader.GetFieldValue<TextReader>(1)),
        ["GetFieldValueAsync<TextReader>"] = async reader => await reader.GetFieldValueAsync<TextReader>(1),
        ["nested GetStream"] = reader => Task.FromResult<object>(Nested(reader).GetStream(0)),
        ["nested GetTextReader"] = reader => Task.FromResult<object>(Nested(reader).GetTextReader(1)),
        ["nested GetFieldValue<Stream>"] = reader => Task.FromResult<object>(Nested(reader).GetFieldValue<Stream>(0)),
        ["nested GetFieldValueAsync<TextReader>"] = async reader => await Nested(reader).GetFieldValueAsync<TextReader>(1),
    };

    public static TheoryData<string, CommandBehavior> Cases
    {
        get
        {
            var cases = new TheoryData<string, CommandBehavior>();
            foreach (var column in Columns.Keys)
            {
                cases.Add(column, CommandBehavior.Default);
                if (!column.StartsWith("nested", StringComparison.Ordinal))
                {
                    cases.Add(column, CommandBehavior.SequentialAccess);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task ColumnOfAClosedReader_NeverReadsOrClosesTheNextOwners(string column, CommandBehavior behavior)
    {
        var pool = CreatePool(maxPoolSize: 1);
        var kept = new List<object>();
        await using (var connection = await pool.OpenConnectionAsync())
        {
            foreach (var disposed in new[] { false, true })
            {
                await using var reader = await ReadAsync(connection, Public, behavior);
                var late = await Columns[column](reader);
                kept.Add(late);
                if (disposed)
                {
                    ((IDisposable)late).Dispose(); // Which makes Npgsql use it again.
                }
            }
        }

        await using var other = await pool.OpenConnectionAsync();
        await using var next = await ReadAsync(other, Secret, behavior);
        var current = await Columns[column](next);

        foreach (var late in kept)
        {
            foreach (var use in Uses(late))
            {
                Assert.Throws<ObjectDisposedException>(use);
            }

            ((IDisposable)late).Dispose();
        }

        Assert.Equal("secret", ReadToEnd(current));
        Assert.True(await next.ReadAsync());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task ColumnOfAnEarlierRow_IsOver(string column, CommandBehavior behavior)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await ReadAsync(connection, Public, behavior);
        var first = await Columns[column](reader);
        await reader.ReadAsync();
        Assert.All(Uses(first), use => Assert.Throws<ObjectDisposedException>(use));
        var second = await Columns[column](reader);

        Assert.All(Uses(first), use => Assert.Throws<ObjectDisposedException>(use));
        ((IDisposable)first).Dispose();

        Assert.Equal("public", ReadToEnd(second));
    }

    [Theory]
    [InlineData(CommandBehavior.Default)]
    [InlineData(CommandBehavior.SequentialAccess)]
    public async Task Column_IsWhatNpgsqlGives(CommandBehavior behavior)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var plain = await OpenPlainAsync();
        foreach (var expression in new[] { "''", "'a'", "repeat('abc', 9000)", "E'one\\ntwo'" })
        {
            var sql = $"SELECT {expression}::bytea, {expression}";
            var results = new List<string>();
            foreach (var database in new DbConnection[] { connection, plain })
            {
                foreach (var asynchronous in new[] { true, false })
                {
                    await using var reader = await ReadAsync(database, sql, behavior);
                    results.Add(await ReadAllAsync(reader, asynchronous));
                }
            }

            Assert.All(results, result => Assert.Equal(results[0], result));
        }
    }

    [Fact]
    public async Task SeekableColumn_Seeks()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await ReadAsync(connection, Public, CommandBehavior.Default);
        var stream = reader.GetStream(0);

        Assert.Equal((true, true, false, 6L), (stream.CanRead, stream.CanSeek, stream.CanWrite, stream.Length));
        stream.Position = 3;
        Assert.Equal('l', (char)stream.ReadByte());
        Assert.Equal(4, stream.Position);
        Assert.Equal(5, stream.Seek(-1, SeekOrigin.End));
        Assert.Equal("c", ReadToEnd(stream));
        Assert.Equal(-1, stream.ReadByte());
        Assert.Throws<NotSupportedException>(() => stream.Write([1]));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(1));
    }

    [Fact]
    public async Task ColumnBeingRead_WhenItsReaderIsClosed_EndsBeforeTheNextOwnerGetsTheServerConnection()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 100; i++)
        {
            var reader = await ReadAsync(connection, "SELECT convert_to(repeat('public', 300000), 'UTF8')", CommandBehavior.SequentialAccess);
            var stream = reader.GetStream(0);
            var reading = Task.Run(async () =>
            {
                var bytes = new byte[4096];
                for (int count; (count = await stream.ReadAsync(bytes)) > 0;)
                {
                    Assert.DoesNotContain("secret", Encoding.UTF8.GetString(bytes, 0, count), StringComparison.Ordinal);
                }
            });
            await Task.Yield();
            await Record.ExceptionAsync(async () => await reader.DisposeAsync());
            await using var other = await pool.OpenConnectionAsync();
            await using var next = await ReadAsync(other, Secret, CommandBehavior.SequentialAccess);

            Assert.Equal("secret", ReadToEnd(next.GetStream(0)));
            Assert.IsNotType<Xunit.Sdk.DoesNotContainException>(await Record.ExceptionAsync(() => reading));
        }
    }

    [Fact]
    public async Task Column_IsOver_WhenItsReaderMoves()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        await using var reader = await ReadAsync(connection, $"SELECT convert_to(rpad('public', 100000), 'UTF8') UNION ALL SELECT 'later'::bytea FROM {Gate.Wait}", CommandBehavior.SequentialAccess);
        var stream = reader.GetStream(0);
        var moving = reader.ReadAsync();
        Assert.False(moving.IsCompleted);

        Assert.Throws<ObjectDisposedException>(() => stream.ReadByte());
        stream.Dispose();
        await Assert.ThrowsAsync<ConcurrentUseException>(() => reader.ReadAsync());

        await gate.OpenAsync();
        Assert.True(await moving);
        Assert.Equal("later", ReadToEnd(reader.GetStream(0)));
    }

    private static async Task<DbDataReader> ReadAsync(DbConnection connection, string sql, CommandBehavior behavior)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        var reader = await command.ExecuteReaderAsync(behavior);
        Assert.True(await reader.ReadAsync());
        return reader;
    }

    private static DbDataReader Nested(DbDataReader reader)
    {
        var nested = reader.GetData(2);
        Assert.True(nested.Read());
        return nested;
    }

    private static string ReadToEnd(object column)
        => column is TextReader text ? text.ReadToEnd() : new StreamReader((Stream)column, leaveOpen: true).ReadToEnd();

    private static async Task<string> ReadAllAsync(DbDataReader reader, bool asynchronous)
    {
        using var bytes = new MemoryStream();
        await using (var stream = reader.GetStream(0))
        {
            await (asynchronous ? stream.CopyToAsync(bytes) : Task.Run(() => stream.CopyTo(bytes)));
        }

        using var text = reader.GetTextReader(1);
        var first = asynchronous ? await text.ReadLineAsync() : text.ReadLine();
        var rest = asynchronous ? await text.ReadToEndAsync() : text.ReadToEnd();
        return $"{Encoding.UTF8.GetString(bytes.ToArray())}|{first}|{rest}|{text.Peek()}|{text.Read()}";
    }

    private static List<Action> Uses(object column) => column switch
    {
        Stream stream => [() => stream.ReadByte(), () => _ = stream.Length, () => _ = stream.Position, () => stream.ReadExactlyAsync(new byte[1]).AsTask().GetAwaiter().GetResult()],
        TextReader text =>
        [
            () => text.Read(), () => text.Peek(), () => text.ReadLine(), () => text.ReadToEnd(), () => text.ReadBlock(new char[1]),
            () => text.ReadToEndAsync().GetAwaiter().GetResult(), () => text.ReadLineAsync().GetAwaiter().GetResult(),
        ],
        _ => throw new ArgumentException("Neither bytes nor text.", nameof(column)),
    };
}
