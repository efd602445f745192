using System.Data;
using System.Data.Common;
using System.Reflection;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What can be seen of a connection and of the provider's factory is what plain Npgsql shows, in every state.</summary>
public sealed class SurfaceTests(ServerFixture fixture) : PoolTest(fixture)
{
    // What stays different, with the reason. The page on transaction mode lists it too.
    private static readonly Dictionary<string, string> Different = new()
    {
        ["without a string: ConnectionTimeout"] = "the pool's QueryWaitTimeout, 120 s by default",
        ["new: ConnectionTimeout"] = "the pool's QueryWaitTimeout, 120 s by default",
        ["opened: ConnectionTimeout"] = "the pool's QueryWaitTimeout, 120 s by default",
        ["closed: ConnectionTimeout"] = "the pool's QueryWaitTimeout, 120 s by default",
        ["disposed: ConnectionTimeout"] = "the pool's QueryWaitTimeout, 120 s by default",
    };

    public override async ValueTask DisposeAsync()
    {
        await TransactionPoolingFactory.Instance.CloseAllPoolsAsync(Patience);
        NpgsqlConnection.ClearAllPools();
        await base.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData(";Persist Security Info=true")]
    public async Task EveryProperty_IsPlainNpgsqls(string more)
    {
        var expected = await ListAsync(NpgsqlFactory.Instance, more);
        var seen = await ListAsync(TransactionPoolingFactory.Instance, more);

        Assert.Equal(expected.Keys, seen.Keys);
        Assert.Equal(
            Different.Keys.Order(StringComparer.Ordinal),
            expected.Keys.Where(key => expected[key] != seen[key]).Union(Different.Keys).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task TheFactory_MakesWhatNpgsqlsMakes()
    {
        foreach (var member in typeof(DbProviderFactory).GetProperties(BindingFlags.Instance | BindingFlags.Public))
        {
            Assert.Equal((member.Name, member.GetValue(NpgsqlFactory.Instance)), (member.Name, member.GetValue(TransactionPoolingFactory.Instance)));
        }

        foreach (var method in typeof(DbProviderFactory).GetMethods(BindingFlags.Instance | BindingFlags.Public).Where(method => method.Name.StartsWith("Create", StringComparison.Ordinal)))
        {
            object[] arguments = method.GetParameters().Length == 0 ? [] : [ConnectionString];
            var (plain, ours) = (method.Invoke(NpgsqlFactory.Instance, arguments), method.Invoke(TransactionPoolingFactory.Instance, arguments));
            Assert.Equal((method.Name, plain is null), (method.Name, ours is null));
            foreach (var made in new[] { plain, ours })
            {
                await (made is IAsyncDisposable disposable ? disposable.DisposeAsync() : ValueTask.CompletedTask);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CommandBuilder_WritesTheCommands(bool pooled)
    {
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS \"Odd name\"; CREATE TABLE \"Odd name\" (id int PRIMARY KEY, \"Name\" text); INSERT INTO \"Odd name\" SELECT n, 'n' || n FROM generate_series(1, 3) AS n");
        DbProviderFactory factory = pooled ? TransactionPoolingFactory.Instance : NpgsqlFactory.Instance;
        await using var connection = factory.CreateConnection()!;
        connection.ConnectionString = $"{ConnectionString};Application Name=command builder {pooled}";
        await connection.OpenAsync();
        using var adapter = factory.CreateDataAdapter()!;
        await using var select = connection.CreateCommand();
        select.CommandText = "SELECT id, \"Name\" FROM \"Odd name\" ORDER BY id";
        adapter.SelectCommand = select;
        using var builder = factory.CreateCommandBuilder()!;
        builder.DataAdapter = adapter;
        using var table = new DataTable();
        adapter.Fill(table);

        table.Rows[0]["Name"] = "changed";
        table.Rows[1].Delete();
        table.Rows.Add(4, "new");
        Assert.Equal(3, adapter.Update(table));

        Assert.Equal("1 changed, 3 n3, 4 new", await connection.AskAsync<string>("SELECT string_agg(id || ' ' || \"Name\", ', ' ORDER BY id) FROM \"Odd name\""));
        Assert.Equal("\"a\"\"b\"", builder.QuoteIdentifier("a\"b"));
        Assert.Equal("a\"b", builder.UnquoteIdentifier("\"a\"\"b\""));
    }

    [Fact]
    public async Task AStringMadeFromAConnection_LogsIn_BeforeItIsOpened()
    {
        await using var connection = (LogicalConnection)TransactionPoolingFactory.Instance.CreateConnection();
        connection.ConnectionString = ConnectionString;
        await using var other = new NpgsqlConnection($"{connection.ConnectionString};Pooling=false");
        await other.OpenAsync();

        Assert.Equal(ConnectionString, connection.ConnectionString);
        Assert.Equal(ConnectionString, ((LogicalConnection)connection.Clone()).ConnectionString);
    }

    private async Task<SortedDictionary<string, string>> ListAsync(DbProviderFactory factory, string more)
    {
        var list = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await using var connection = factory.CreateConnection()!;
        List("without a string");
        connection.ConnectionString = $"{ConnectionString}{more};Application Name=surface";
        List("new");
        await connection.OpenAsync();
        List("opened");
        await connection.CloseAsync();
        List("closed");
        await connection.DisposeAsync();
        List("disposed");
        return list;

        void List(string state)
        {
            foreach (var property in typeof(DbConnection).GetProperties(BindingFlags.Instance | BindingFlags.Public))
            {
                list[$"{state}: {property.Name}"] = Value(property);
            }
        }

        string Value(PropertyInfo property)
        {
            try
            {
                var value = property.GetValue(connection);
                return value is string text && property.Name == nameof(DbConnection.ConnectionString) ? Sorted(text) : $"{value}";
            }
            catch (TargetInvocationException e)
            {
                return e.InnerException is ObjectDisposedException or InvalidOperationException ? "refused" : e.InnerException!.GetType().Name;
            }
        }
    }

    // In which order keywords come says nothing.
    private static string Sorted(string connectionString)
        => string.Join(';', new NpgsqlConnectionStringBuilder(connectionString).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));
}
