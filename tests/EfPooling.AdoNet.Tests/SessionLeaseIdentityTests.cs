using System.Transactions;
using EfPooling.Core;
using EfPooling.Dev;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>
/// Whoever leases a session can close its connection and open it again, to another database or as somebody who is past every policy: the next owner is
/// where and who the pool is, and the logical connection refuses to go on.
/// </summary>
public sealed class SessionLeaseIdentityTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly Dictionary<string, Func<NpgsqlConnection, string, Task>> Changes = new()
    {
        ["ChangeDatabase"] = (connection, _) => connection.ChangeDatabaseAsync("postgres"),
        ["Close, other user, Open"] = async (connection, owner) =>
        {
            await connection.CloseAsync();
            connection.ConnectionString = owner;
            await connection.OpenAsync();
        },
        ["Close and Open"] = async (connection, _) =>
        {
            await connection.CloseAsync();
            await connection.OpenAsync();
        },
        ["Close"] = (connection, _) => connection.CloseAsync(),
        ["Dispose"] = async (connection, _) => await connection.DisposeAsync(),
        ["SET ROLE"] = (connection, _) => connection.RunAsync("SET ROLE pg_monitor"),
        ["SET SESSION AUTHORIZATION"] = (connection, _) => connection.RunAsync($"SET SESSION AUTHORIZATION {TenantTable.Role}"),
        ["another tenant"] = (connection, _) => connection.RunAsync(KeptObjects.OtherTenant),
    };

    public static TheoryData<string, LeasedIn, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, LeasedIn, bool>();
            foreach (var change in Changes.Keys)
            {
                foreach (var leasedIn in Enum.GetValues<LeasedIn>())
                {
                    cases.Add(change, leasedIn, true);
                    cases.Add(change, leasedIn, false);
                }
            }

            return cases;
        }
    }

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync($"{TenantTable.Create} GRANT pg_monitor TO {TenantTable.Role};");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task NextOwner_IsInThePoolsDatabase_AsThePoolsUser(string change, LeasedIn leasedIn, bool asynchronous)
    {
        var pool = Create(leasedIn);
        NpgsqlConnection kept;
        await using (var session = await LeasedSession.StartAsync(pool, leasedIn))
        {
            kept = session.Lease.Connection;
            await Changes[change](kept, ConnectionString);
            await session.Lease.EndAsync(asynchronous);
            await Record.ExceptionAsync(session.CommitAsync);
        }

        await using var next = await pool.OpenConnectionAsync();
        await using var transaction = await next.BeginTransactionAsync();
        await next.RunAsync("INSERT INTO note (id) VALUES (1)");
        await Record.ExceptionAsync(() => kept.RunAsync(KeptObjects.OtherTenant));
        await Record.ExceptionAsync(() => kept.RunAsync("ROLLBACK"));

        Assert.Equal(TenantTable.IdentityOfTenant1(ConnectionString), await next.AskAsync<string>(TenantTable.Identity));
        await transaction.CommitAsync();
        await WaitForClosedAsync(kept);
        Assert.Equal("1", await AskPlainAsync<string>("SELECT string_agg(tenant, ', ') FROM note WHERE id > 0"));
        Assert.Equal(2L, pool.GetSnapshot().Opened);
    }

    [Theory]
    [InlineData(LeasedIn.Nothing)]
    [InlineData(LeasedIn.Transaction)]
    [InlineData(LeasedIn.AmbientTransaction)]
    [InlineData(LeasedIn.SessionMode)]
    [InlineData(LeasedIn.PinnedConnection)]
    public async Task Connection_WhoseServerConnectionWasExchanged_RefusesToGoOn(LeasedIn leasedIn)
    {
        var pool = Create(leasedIn);
        await using var session = await LeasedSession.StartAsync(pool, leasedIn);
        await Changes["Close, other user, Open"](session.Lease.Connection, ConnectionString);

        var refusal = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => session.Connection.RunAsync("DELETE FROM note"));
        Assert.ThrowsAny<InvalidOperationException>(() => session.Connection.Run("DELETE FROM note"));
        Assert.ThrowsAny<InvalidOperationException>(() => session.Connection.GetSchema("Tables"));
        await Assert.ThrowsAnyAsync<InvalidOperationException>(async () => await session.Connection.LeaseSessionAsync("again"));

        Assert.True(refusal is TransactionBrokenException || refusal.Message.Contains("closed and opened again", StringComparison.Ordinal), refusal.Message);
        await session.Lease.DisposeAsync();
        Assert.Equal(2L, await AskPlainAsync<long>("SELECT count(*) FROM note"));
    }

    [Theory]
    [InlineData(LeasedIn.Transaction)]
    [InlineData(LeasedIn.AmbientTransaction)]
    public async Task Transaction_WhoseServerConnectionWasExchanged_DoesNotCommit(LeasedIn leasedIn)
    {
        var pool = Create(leasedIn);
        await using var session = await LeasedSession.StartAsync(pool, leasedIn);
        await session.Connection.RunAsync("INSERT INTO note (id) VALUES (1)");
        await Changes["Close and Open"](session.Lease.Connection, ConnectionString);
        await session.Lease.DisposeAsync();

        await Assert.ThrowsAnyAsync<Exception>(session.CommitAsync);

        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM note WHERE id > 0"));
    }

    [Fact]
    public async Task TwoPoolsInOneTransaction_OneOfWhichHadItsServerConnectionExchanged_WriteNothing()
    {
        await using var server = await DevPostgres.StartAsync(new DevPostgresOptions { Settings = { ["max_prepared_transactions"] = "2" } });
        await using var first = TransactionPoolingDataSource.Create($"{server.ConnectionString};Application Name=first;Maximum Pool Size=1");
        await using var second = TransactionPoolingDataSource.Create($"{server.ConnectionString};Application Name=second;Maximum Pool Size=1");
        await using var after = await first.OpenConnectionAsync();
        await after.RunAsync("CREATE TABLE item (id int)");
        using var transaction = new CommittableTransaction();
        foreach (var pool in new[] { first, second })
        {
            await using var connection = await pool.OpenConnectionAsync();
            connection.EnlistTransaction(transaction);
            await connection.RunAsync("INSERT INTO item VALUES (1)");
            await using var session = await connection.LeaseSessionAsync("exchanged");
            await (pool == first ? Changes["Close and Open"](session.Connection, ConnectionString) : Task.CompletedTask);
        }

        await Assert.ThrowsAsync<TransactionAbortedException>(() => Task.Factory.FromAsync(transaction.BeginCommit, transaction.EndCommit, null));

        Assert.Equal(0L, await after.AskAsync<long>("SELECT count(*) FROM item"));
        Assert.Equal(0L, await after.AskAsync<long>("SELECT count(*) FROM pg_prepared_xacts"));
    }

    [Theory]
    [InlineData(LeasedIn.Transaction)]
    [InlineData(LeasedIn.AmbientTransaction)]
    [InlineData(LeasedIn.SessionMode)]
    [InlineData(LeasedIn.PinnedConnection)]
    public async Task Session_GoesOnAfterItsLease_OnTheSameServerConnection(LeasedIn leasedIn)
    {
        var pool = Create(leasedIn);
        await using (var session = await LeasedSession.StartAsync(pool, leasedIn))
        {
            var backend = await session.Lease.Connection.AskAsync<int>(Sql.BackendId);
            await session.Lease.DisposeAsync();

            Assert.Equal(backend, await session.Connection.AskAsync<int>(Sql.BackendId));
            await session.Connection.RunAsync("INSERT INTO note (id) VALUES (1)");
            Assert.Empty(pool.GetSnapshot().Retired);
            await session.CommitAsync();
        }

        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Exposed]);
        Assert.Equal(1L, await AskPlainAsync<long>("SELECT count(*) FROM note WHERE id = 1"));
    }

    private TransactionPoolingDataSource Create(LeasedIn leasedIn) => CreatePool(maxPoolSize: 1, TenantTable.Keywords, options =>
    {
        TenantTable.DeclareTenant1(options);
        LeasedSession.Configure(options, leasedIn);
    });
}
