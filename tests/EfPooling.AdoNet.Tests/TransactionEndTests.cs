using Npgsql;

namespace EfPooling.AdoNet.Tests;

public sealed class TransactionEndTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dispose_RollsBack_AndDoesNotThrow_WhateverTheStateOfTheTransaction(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        foreach (var sql in new[] { "INSERT INTO item VALUES (1)", "nonsense", "SELECT 1; SELECT 1/0", "ROLLBACK" })
        {
            var transaction = await connection.BeginTransactionAsync();
            await Record.ExceptionAsync(() => connection.RunAsync(sql));
            await DisposeAsync(transaction, asynchronous);
            Assert.Equal(0, pool.GetSnapshot().InUse);
        }

        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dispose_WithAnOpenReaderWhoseRestFails_RollsBack(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("INSERT INTO item VALUES (1)");
        _ = await connection.ReadAsync("SELECT 1; SELECT 1/0");

        await DisposeAsync(transaction, asynchronous);

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_WithAnOpenReaderWhoseRestFails_RollsBackAndHoldsNothing(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        var connection = await pool.OpenConnectionAsync();
        await connection.BeginTransactionAsync();
        await connection.RunAsync("INSERT INTO item VALUES (1)");
        _ = await connection.ReadAsync("SELECT 1; SELECT 1/0");

        await Record.ExceptionAsync(async () =>
        {
            if (asynchronous)
            {
                await connection.CloseAsync();
            }
            else
            {
                connection.Close();
            }
        });

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(System.Data.ConnectionState.Closed, connection.State);
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Close_RollsBackATransactionInProgress()
    {
        var pool = CreatePool(maxPoolSize: 1);
        var connection = await pool.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("INSERT INTO item VALUES (1)");

        await connection.CloseAsync();

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Contains("closed", (await Assert.ThrowsAsync<InvalidOperationException>(() => transaction.CommitAsync())).Message);
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Commit_ThatViolatesADeferredConstraint_SaysWhatTheServerSays_AndRollbackDoesNothingThen()
    {
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS child CASCADE; CREATE TABLE child (id int REFERENCES item DEFERRABLE INITIALLY DEFERRED)");
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("INSERT INTO child VALUES (7)");

        var error = await Assert.ThrowsAsync<PostgresException>(() => transaction.CommitAsync());

        Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, error.SqlState);
        Assert.Equal(0, pool.GetSnapshot().InUse);
        await transaction.RollbackAsync();
        Assert.Equal(1L, pool.GetSnapshot().Opened);

        var second = connection.BeginTransaction();
        connection.Run("INSERT INTO child VALUES (8)");
        Assert.Throws<PostgresException>(second.Commit);
        second.Dispose();
    }

    [Fact]
    public async Task Commit_WithAnOpenReader_IsRefused_AndTheTransactionGoesOn()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var reader = await connection.ReadAsync("INSERT INTO item VALUES (1) RETURNING id"))
        {
            await Assert.ThrowsAsync<ConcurrentUseException>(() => transaction.CommitAsync());
            await Assert.ThrowsAsync<ConcurrentUseException>(() => transaction.RollbackAsync());
            Assert.Throws<ConcurrentUseException>(() => transaction.Save("s"));
        }

        await transaction.CommitAsync();
        Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Transaction_ThatHasEnded_RefusesEverything()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("SELECT 1");
        await transaction.CommitAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => transaction.CommitAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => transaction.RollbackAsync());
        Assert.Throws<InvalidOperationException>(() => transaction.Save("s"));
        await using var next = await connection.BeginTransactionAsync();
        await connection.RunAsync("SELECT 1");
    }

    [Fact]
    public async Task Transaction_WithACancelledToken_GoesOn()
    {
        var pool = CreatePool();
        var cancelled = new CancellationToken(canceled: true);
        await using var connection = await pool.OpenConnectionAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await connection.BeginTransactionAsync(cancelled));
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("INSERT INTO item VALUES (1)");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => transaction.CommitAsync(cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => transaction.RollbackAsync(cancelled));

        await transaction.CommitAsync();
        Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Dispose_WhileAStatementRuns_RollsBackWhenItEnds()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var running = connection.RunAsync($"INSERT INTO item SELECT 1 FROM {Gate.Wait}");
        await WaitForQueryAsync(pool, Gate.Wait);

        await transaction.DisposeAsync();
        Assert.Equal(1, pool.GetSnapshot().InUse);
        await gate.OpenAsync();
        await running;

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    private static async Task DisposeAsync(LogicalTransaction transaction, bool asynchronous)
    {
        if (asynchronous)
        {
            await transaction.DisposeAsync();
        }
        else
        {
            transaction.Dispose();
        }
    }
}
