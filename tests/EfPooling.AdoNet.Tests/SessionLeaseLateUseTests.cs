using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>
/// Npgsql uses one transaction, one reader and so on for all the life of a connection. Whatever was kept of a leased session is dead after it all the same:
/// the next owner, a tenant under row-level security, never notices a late use.
/// </summary>
public sealed class SessionLeaseLateUseTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync(TenantTable.Create);
    }

    [Theory]
    [MemberData(nameof(KeptObjects.Cases), MemberType = typeof(KeptObjects))]
    public async Task KeptObject_DoesNothingToTheNextOwner(string kept, bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1, TenantTable.Keywords, TenantTable.DeclareTenant1);
        await VerifyAsync(pool, kept, asynchronous);
    }

    [Theory]
    [MemberData(nameof(KeptObjects.Cases), MemberType = typeof(KeptObjects))]
    public async Task KeptObject_OfADataSourceWithAPoolOfItsOwn_DoesNothingToTheNextOwner(string kept, bool asynchronous)
    {
        await using var source = NpgsqlDataSource.Create($"{ConnectionString};{TenantTable.Keywords};Application Name=own source");
        var pool = Watch(new TransactionPoolingDataSourceBuilder(source).ConfigureOptions(options => options.MaxPoolSize = 1).ConfigureOptions(TenantTable.DeclareTenant1).Build());
        await VerifyAsync(pool, kept, asynchronous);
        await pool.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ConnectionAskedForWhileTheLeaseEnds_IsDeadAfterIt(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 50; i++)
        {
            var session = await connection.LeaseSessionAsync("contended");
            var asking = Task.Run(() => AskUntilOver(session));
            await session.EndAsync(asynchronous);
            await connection.RunAsync("SELECT 1");

            Assert.True(await asking is not { State: not System.Data.ConnectionState.Closed });
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task KeptHandlers_HearNothingOfTheNextOwner(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        var heard = new List<string>();
        await using (var connection = await pool.OpenConnectionAsync())
        {
            var session = await connection.LeaseSessionAsync("handlers");
            session.Connection.Notice += (_, notice) => heard.Add(notice.Notice.MessageText);
            session.Connection.Notification += (_, notification) => heard.Add(notification.Payload);
            await connection.RunAsync("LISTEN news");
            await session.EndAsync(asynchronous);
        }

        await using var next = await pool.OpenConnectionAsync();
        await next.RunAsync("DO $$ BEGIN RAISE NOTICE 'secret'; END $$");
        await next.RunAsync("NOTIFY news, 'secret'");
        await next.RunAsync("SELECT 1");

        Assert.Empty(heard);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Session_WhoseConnectionNobodyAskedFor_KeepsItsServerConnection(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var session = await connection.LeaseSessionAsync("temporary table");
        await connection.RunAsync("CREATE TEMP TABLE mine (id int)");
        var backend = await connection.AskAsync<int>(Sql.BackendId);
        await session.EndAsync(asynchronous);

        Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
        Assert.Empty(pool.GetSnapshot().Retired);
    }

    [Theory]
    [InlineData(ResetPolicy.Smart)]
    [InlineData(ResetPolicy.Always)]
    [InlineData(ResetPolicy.Never)]
    public async Task Session_WhoseConnectionWasAskedFor_IsClosed_WhateverTheResetPolicy(ResetPolicy policy)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.ResetPolicy = policy);
        await using var connection = await pool.OpenConnectionAsync();
        NpgsqlConnection kept;
        await using (var session = await connection.LeaseSessionAsync("COPY"))
        {
            kept = session.Connection;
        }

        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Exposed]);
        await WaitForClosedAsync(kept);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => kept.OpenAsync());
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task LocksOfASession_AreFree_WhenItsLeaseHasEnded()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await OpenPlainAsync();
        for (var i = 0; i < 20; i++)
        {
            await using (var session = await connection.LeaseSessionAsync("leader"))
            {
                await session.Connection.RunAsync("SELECT pg_advisory_lock(7)");
            }

            Assert.True(await other.AskAsync<bool>("SELECT pg_try_advisory_xact_lock(7)"));
        }
    }

    private static NpgsqlConnection? AskUntilOver(SessionLease session)
    {
        NpgsqlConnection? latest = null;
        try
        {
            while (true)
            {
                latest = session.Connection;
            }
        }
        catch (LeaseEndedException)
        {
            return latest;
        }
    }

    private async Task VerifyAsync(TransactionPoolingDataSource pool, string kept, bool asynchronous)
    {
        Func<Task> use;
        await using (var connection = await pool.OpenConnectionAsync())
        {
            var session = await connection.LeaseSessionAsync(kept);
            use = await KeptObjects.KeepAsync(kept, session.Connection);
            await session.EndAsync(asynchronous);
        }

        await using var next = await pool.OpenConnectionAsync();
        await VerifyCommitAsync(next, use);
        await VerifyRollbackAsync(next, use);
        await VerifyRunningAsync(pool, next, use);

        Assert.Equal("-1 1, 1 1, 2 1", await AskPlainAsync<string>("SELECT string_agg(id || ' ' || tenant, ', ' ORDER BY id) FROM note WHERE tenant = '1'"));
        Assert.Equal("-2", await AskPlainAsync<string>("SELECT string_agg(id::text, ', ') FROM note WHERE tenant <> '1'"));
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM draft"));
    }

    private static async Task VerifyCommitAsync(LogicalConnection next, Func<Task> use)
    {
        await using var transaction = await next.BeginTransactionAsync();
        await next.RunAsync("INSERT INTO note (id) VALUES (1)");
        await Record.ExceptionAsync(use);
        await next.RunAsync("INSERT INTO note (id) VALUES (2)");
        await transaction.CommitAsync();
    }

    private async Task VerifyRollbackAsync(LogicalConnection next, Func<Task> use)
    {
        await using var transaction = await next.BeginTransactionAsync();
        await next.RunAsync("INSERT INTO note (id) VALUES (3)");
        await Record.ExceptionAsync(use);
        Assert.Equal(TenantTable.IdentityOfTenant1(ConnectionString), await next.AskAsync<string>(TenantTable.Identity));
        await transaction.RollbackAsync();
    }

    private async Task VerifyRunningAsync(TransactionPoolingDataSource pool, LogicalConnection next, Func<Task> use)
    {
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var running = next.AskAsync<string>($"{TenantTable.Identity} FROM {Gate.Wait}");
        await WaitForQueryAsync(pool, Gate.Wait);
        await Record.ExceptionAsync(use);
        await gate.OpenAsync();
        Assert.Equal(TenantTable.IdentityOfTenant1(ConnectionString), await running);
    }
}
