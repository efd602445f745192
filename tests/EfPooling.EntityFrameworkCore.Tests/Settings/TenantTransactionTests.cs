using System.Transactions;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>A transaction runs as its tenant from its first statement, and whatever ends it leaves nothing to the next tenant.</summary>
public sealed class TenantTransactionTests(TenantDatabase database) : IClassFixture<TenantDatabase>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CommitAndRollback_LeaveNothingToTheNextTenant(bool commit)
    {
        var (a, b) = await database.OpenTwoAsync($"commit {commit}");
        for (var i = 0; i < 3; i++)
        {
            foreach (var notebook in new[] { a, b })
            {
                await using var transaction = await notebook.Database.BeginTransactionAsync();
                notebook.Add(TenantDatabase.NoteOf(notebook, $"{i}"));
                await notebook.SaveChangesAsync();
                Assert.Equal(notebook.Tenant, await notebook.Notes.Select(note => note.Tenant).Distinct().SingleAsync());
                await (commit ? transaction.CommitAsync() : transaction.RollbackAsync());
                notebook.ChangeTracker.Clear();
            }
        }

        Assert.Equal(commit ? 4 : 1, await a.Notes.CountAsync());
        Assert.Equal(commit ? 4 : 1, await b.Notes.CountAsync());
        Assert.Equal(0, await database.CountStrangersAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // Behind a statement that is not proven to be harmless, the tenant is declared again before the next one.
    public async Task Savepoints_KeepTheTenant_AlsoAfterAFailedSave(bool suspect)
    {
        if (suspect)
        {
            await database.RunAsync(
                """
                CREATE FUNCTION opaque() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT 1'; RETURN NEW; END $$;
                CREATE TRIGGER opaque BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION opaque();
                """);
        }

        var (a, b) = await database.OpenTwoAsync($"savepoints {suspect}");
        await using (var transaction = await a.Database.BeginTransactionAsync())
        {
            await transaction.CreateSavepointAsync("mine");
            a.Add(new Note { Claimed = a.Tenant!, Text = "first" });
            await Assert.ThrowsAsync<DbUpdateException>(() => a.SaveChangesAsync()); // EF Core rolls back to its own savepoint.
            a.ChangeTracker.Clear();
            Assert.Equal(a.Tenant, (await a.Notes.SingleAsync()).Tenant);
            a.Add(new Note { Claimed = a.Tenant!, Text = "second" });
            await a.SaveChangesAsync();
            await transaction.RollbackToSavepointAsync("mine");
            Assert.Equal(a.Tenant, (await a.Notes.AsNoTracking().SingleAsync()).Tenant);
            await transaction.CommitAsync();
        }

        Assert.Equal(b.Tenant, (await b.Notes.SingleAsync()).Tenant);
        await database.RunAsync("DROP FUNCTION IF EXISTS opaque CASCADE");
    }

    [Fact]
    public async Task TenantThatChangesInsideATransaction_IsRevokedWithIt()
    {
        var (a, b) = await database.OpenTwoAsync("inside");
        var (first, second) = (a.Tenant!, b.Tenant!);
        await using (var transaction = await a.Database.BeginTransactionAsync())
        {
            Assert.Equal(first, await a.Notes.Select(note => note.Tenant).SingleAsync());
            await transaction.CreateSavepointAsync("before");
            a.Tenant = second;
            Assert.Equal(second, await a.Notes.Select(note => note.Tenant).SingleAsync());
            await transaction.RollbackToSavepointAsync("before");
            Assert.Equal(second, await a.Notes.Select(note => note.Tenant).SingleAsync());
            await transaction.RollbackAsync();
        }

        Assert.Equal(second, await a.Notes.Select(note => note.Tenant).SingleAsync());
        Assert.Equal(second, await b.Notes.Select(note => note.Tenant).SingleAsync());
    }

    [Fact]
    public async Task UseTransaction_OnASecondContext_RunsAsTheTenantOfTheConnection()
    {
        var (a, b) = await database.OpenTwoAsync("two contexts");
        await using var second = new Notebook(new DbContextOptionsBuilder().UseNpgsql(a.Database.GetDbConnection()).UseTransactionPooling(Notebook.DeclareTenant).Options) { Tenant = a.Tenant };
        await using (var transaction = await a.Database.BeginTransactionAsync())
        {
            await second.Database.UseTransactionAsync(transaction.GetDbTransaction());
            second.Add(new Note { Claimed = a.Tenant!, Text = "second" });
            await second.SaveChangesAsync();
            Assert.Equal(2, await a.Notes.CountAsync());
            await transaction.CommitAsync();
        }

        Assert.Equal(1, await b.Notes.CountAsync());
        Assert.Equal(0, await database.CountStrangersAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TransactionScope_GivesEachContextItsTenantOnOneServerConnection(bool complete)
    {
        var (a, b) = await database.OpenTwoAsync($"scope {complete}");
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            foreach (var notebook in new[] { a, b, a, b })
            {
                notebook.Add(new Note { Claimed = notebook.Tenant!, Text = $"{Guid.NewGuid()}" });
                await notebook.SaveChangesAsync();
                Assert.Equal(notebook.Tenant, await notebook.Notes.Select(note => note.Tenant).Distinct().SingleAsync());
            }

            if (complete)
            {
                scope.Complete();
            }
        }

        Assert.Equal(complete ? 3 : 1, await a.Notes.CountAsync());
        Assert.Equal(complete ? 3 : 1, await b.Notes.CountAsync());
        Assert.Equal(0, await database.CountStrangersAsync());
    }

    [Fact]
    public async Task RetryingExecutionStrategy_RunsTheTransactionAgainAsTheTenant()
    {
        var (a, b) = await database.OpenTwoAsync("strategy", builder => builder.UseNpgsql(npgsql => npgsql.EnableRetryOnFailure(5, TimeSpan.Zero, null)));
        var tries = 0;
        await a.Database.CreateExecutionStrategy().ExecuteAsync(async () =>
        {
            a.ChangeTracker.Clear();
            await using var transaction = await a.Database.BeginTransactionAsync();
            a.Add(TenantDatabase.NoteOf(a, "strategy"));
            await a.SaveChangesAsync();
            if (tries++ < 2)
            {
                await database.Server.TerminateBackendAsync(await a.GetBackendPidAsync());
            }

            Assert.Equal(2, await a.Notes.CountAsync());
            await transaction.CommitAsync();
        });
        Assert.Equal(3, tries);
        Assert.Equal((2, 1), (await a.Notes.CountAsync(), await b.Notes.CountAsync()));
    }

    [Fact]
    public async Task ContextDisposedInTheMiddleOfATransaction_LeavesNothingToTheNextTenant()
    {
        var (a, b) = await database.OpenTwoAsync("disposed");
        await a.Database.BeginTransactionAsync();
        a.Add(TenantDatabase.NoteOf(a, "lost"));
        await a.SaveChangesAsync();
        var stream = a.Lines.AsAsyncEnumerable().GetAsyncEnumerator();
        Assert.True(await stream.MoveNextAsync());
        await a.DisposeAsync();
        Assert.Equal(b.Tenant, (await b.Notes.SingleAsync()).Tenant);
        Assert.Equal(2, await b.Lines.CountAsync());
    }
}
