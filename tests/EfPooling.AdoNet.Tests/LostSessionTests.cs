using System.Data;
using System.Data.Common;
using System.Transactions;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A connection that is bound to one session shows that this has died, as a plain Npgsql connection does, and can be opened again.</summary>
public sealed class LostSessionTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly string[] Ways = ["transaction", "reader in a transaction", "commit", "rollback", "dispose", "ambient", "session mode", "nothing bound"];

    public static TheoryData<string, bool> WaysOfPlainNpgsql
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var way in Ways)
            {
                data.Add(way, true);
                data.Add(way, false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(WaysOfPlainNpgsql))]
    public async Task WhatIsSeen_IsWhatPlainNpgsqlShows(string way, bool asynchronous)
    {
        await using var plain = new NpgsqlConnection($"{ConnectionString};Application Name=plain lost session");
        var pool = CreateUnshuffledPool(configure: options => options.PoolMode = way == "session mode" ? PoolMode.Session : PoolMode.Transaction);
        await using var pooled = pool.CreateConnection();

        var expected = await WatchAsync(plain, way, asynchronous);
        var seen = await WatchAsync(pooled, way, asynchronous);

        // Where nothing binds a connection to a session, the next statement finds another one, and the connection stays open.
        Assert.Equal(way == "nothing bound" ? ["Closed-Open", "fails", "Open", "again 1"] : expected, seen);
    }

    [Theory]
    [InlineData("SELECT pg_advisory_lock(4711)", true)]
    [InlineData("SELECT pg_advisory_lock(4711)", false)]
    public async Task OfAPin_TheConnectionCloses_SaysThatTheSessionIsLost_AndOpensAgain(string sql, bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionState = SessionStatePolicy.Pin);
        await using var connection = await pool.OpenConnectionAsync();
        var closed = CountCloses(connection);
        await connection.AskAsync<object>(sql);
        await KillAsync(await connection.AskAsync<int>(Sql.BackendId));

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(connection, "SELECT 1", asynchronous));

        Assert.Equal((ConnectionState.Closed, 1), (connection.State, closed()));
        Assert.Equal(0, pool.GetSnapshot().InUse);
        await Assert.ThrowsAsync<SessionLostException>(() => ExecuteAsync(connection, "SELECT 1", asynchronous));
        Assert.Throws<SessionLostException>(() => connection.BeginTransaction());
        await connection.OpenAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        await connection.CloseAsync();
        Assert.Equal(2, closed());
        Assert.IsNotType<SessionLostException>(await Assert.ThrowsAnyAsync<InvalidOperationException>(() => connection.RunAsync("SELECT 1")));
    }

    [Fact]
    public async Task OfALeasedSession_BrokenOutOfOurSight_TheConnectionCloses()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var closed = CountCloses(connection);
        await using (var session = await connection.LeaseSessionAsync("to be killed"))
        {
            await KillAsync(session.Connection.ProcessID);
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => session.Connection.RunAsync("SELECT 1"));

            Assert.Equal((ConnectionState.Closed, 1), (connection.State, closed()));
            await Assert.ThrowsAsync<SessionLostException>(() => connection.RunAsync("SELECT 1"));
        }

        await connection.OpenAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Keepalive_ShowsIt_WithoutAnyCommand(bool inTransaction)
    {
        var pool = CreatePool(maxPoolSize: 1, keywords: "Keepalive=1", configure: options => options.SessionState = SessionStatePolicy.Pin);
        await using var connection = await pool.OpenConnectionAsync();
        var closing = new TaskCompletionSource();
        connection.StateChange += (_, change) => _ = change.CurrentState == ConnectionState.Closed && closing.TrySetResult();
        await using var transaction = inTransaction ? await connection.BeginTransactionAsync() : null;
        await connection.AskAsync<object>(inTransaction ? "SELECT 1" : "SELECT pg_advisory_lock(4712)");

        await KillAsync(await connection.AskAsync<int>(Sql.BackendId));
        await closing.Task;

        Assert.Equal(ConnectionState.Closed, connection.State);
        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => connection.RunAsync("SELECT 1"));
        await connection.OpenAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task AHandlerMayDisposeOrOpenTheConnection()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await KillAsync(await connection.AskAsync<int>(Sql.BackendId));
        connection.StateChange += (_, change) =>
        {
            if (change.CurrentState == ConnectionState.Closed)
            {
                connection.Dispose();
            }
        };

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.RunAsync("SELECT 1"));

        await Assert.ThrowsAsync<ObjectDisposedException>(() => connection.RunAsync("SELECT 1"));
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    private async Task<List<string>> WatchAsync(DbConnection connection, string way, bool asynchronous)
    {
        var seen = new List<string>();
        connection.StateChange += (_, change) => seen.Add($"{change.OriginalState}-{change.CurrentState}");
        using (var scope = way == "ambient" ? new TransactionScope(TransactionScopeAsyncFlowOption.Enabled) : null)
        {
            await connection.OpenAsync();
            var transaction = way is "ambient" or "session mode" or "nothing bound" ? null : await connection.BeginTransactionAsync();
            DbDataReader? reader = null;
            if (way == "reader in a transaction")
            {
                reader = await connection.ReadAsync("SELECT pg_backend_pid(), repeat('x', 10000) FROM generate_series(1, 5000)");
                await reader.ReadAsync();
                await KillAsync(reader.GetInt32(0));
            }
            else
            {
                await KillAsync(await connection.AskAsync<int>(Sql.BackendId));
            }

            var error = await Record.ExceptionAsync(() => way switch
            {
                "commit" => asynchronous ? transaction!.CommitAsync() : Task.Run(transaction!.Commit),
                "rollback" => Task.CompletedTask,
                "dispose" => asynchronous ? transaction!.DisposeAsync().AsTask() : Task.Run(transaction!.Dispose),
                "reader in a transaction" => SkipAsync(reader!, asynchronous),
                _ => ExecuteAsync(connection, "SELECT 1", asynchronous),
            });
            if (way == "rollback")
            {
                await Record.ExceptionAsync(() => asynchronous ? transaction!.RollbackAsync() : Task.Run(transaction!.Rollback));
            }

            seen.Add(error is null ? "works" : "fails");
            seen.Add(connection.State.ToString());
            await (reader?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (transaction?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        if (connection.State != ConnectionState.Open)
        {
            await connection.OpenAsync();
        }

        seen.Add($"again {await connection.AskAsync<int>("SELECT 1")}");
        return seen;
    }

    private static async Task SkipAsync(DbDataReader reader, bool asynchronous)
    {
        while (asynchronous ? await reader.ReadAsync() : reader.Read())
        {
        }
    }

    private static Task<int> ExecuteAsync(DbConnection connection, string sql, bool asynchronous)
        => asynchronous ? connection.RunAsync(sql) : Task.Run(() => connection.Run(sql));

    private static Func<int> CountCloses(DbConnection connection)
    {
        var count = 0;
        connection.StateChange += (_, change) => count += change.CurrentState == ConnectionState.Closed ? 1 : 0;
        return () => count;
    }

    private async Task KillAsync(int backend) => Assert.True(await Server.TerminateBackendAsync(backend));
}
