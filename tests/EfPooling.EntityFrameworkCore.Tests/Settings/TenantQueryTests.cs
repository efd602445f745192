using Dapper;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>Every way to read and to change rows by query runs as the context's present tenant, although both use one server connection.</summary>
public sealed class TenantQueryTests(TenantDatabase database) : IClassFixture<TenantDatabase>
{
    private static readonly Func<Notebook, string, Task<Note?>> Compiled =
        EF.CompileAsyncQuery((Notebook notebook, string text) => notebook.Notes.FirstOrDefault(note => note.Text == text));

    [Fact]
    public async Task Queries_SeeTheRowsOfTheirTenantOnly()
    {
        var (a, b) = await database.OpenTwoAsync("queries");
        foreach (var notebook in new[] { a, b, a, b })
        {
            Assert.Equal(notebook.Tenant, (await notebook.Notes.SingleAsync()).Tenant);
            Assert.Equal(notebook.Tenant, notebook.Notes.AsNoTracking().Single().Tenant);
            Assert.Equal([notebook.Tenant!, notebook.Tenant!], await notebook.Lines.Select(line => line.Claimed).ToListAsync());
            Assert.Equal(2, (await notebook.Notes.AsNoTracking().Include(note => note.Lines).AsSplitQuery().SingleAsync()).Lines.Count);
            Assert.Equal(notebook.Tenant, (await Compiled(notebook, "first"))!.Tenant);
            Assert.Equal(1, await notebook.Notes.CountAsync());
            Assert.True(notebook.Notes.Any());
        }

        Assert.Equal(1, a.Database.GetTransactionPool().GetSnapshot().Opened);
    }

    [Fact]
    public async Task LazyLoading_SeesTheRowsOfItsTenantOnly()
    {
        var (a, b) = await database.OpenTwoAsync("lazy");
        var (ofA, ofB) = (await a.Notes.SingleAsync(), await b.Notes.SingleAsync());
        Assert.All(ofA.Lines, line => Assert.Equal(a.Tenant, line.Tenant));
        Assert.All(ofB.Lines, line => Assert.Equal(b.Tenant, line.Tenant));
        Assert.Equal((2, 2), (ofA.Lines.Count, ofB.Lines.Count));
    }

    [Fact]
    public async Task AsynchronousStream_KeepsItsTenant_AndLeavesNothingToTheNext()
    {
        var (a, b) = await database.OpenTwoAsync("stream");
        await using (var stream = a.Lines.AsNoTracking().AsAsyncEnumerable().GetAsyncEnumerator())
        {
            Assert.True(await stream.MoveNextAsync());
            Assert.Equal(a.Tenant, stream.Current.Tenant);
        }

        await foreach (var line in b.Lines.AsAsyncEnumerable())
        {
            Assert.Equal(b.Tenant, line.Tenant);
        }
    }

    [Fact]
    public async Task RawSql_RunsAsTheTenant()
    {
        var (a, b) = await database.OpenTwoAsync("raw");
        foreach (var notebook in new[] { a, b, a })
        {
            Assert.Equal(notebook.Tenant, (await notebook.Notes.FromSql($"SELECT * FROM note").AsNoTracking().SingleAsync()).Tenant);
            Assert.Equal(notebook.Tenant, await notebook.Database.SqlQuery<string>($"SELECT current_setting('app.tenant_id') AS \"Value\"").SingleAsync());
            Assert.Equal(1, await notebook.Database.ExecuteSqlRawAsync("UPDATE note SET \"Edits\" = \"Edits\" + 1"));
            Assert.Equal(1, notebook.Database.ExecuteSqlRaw("UPDATE note SET \"Edits\" = \"Edits\" + 1"));
        }
    }

    [Fact]
    public async Task ExecuteUpdateAndDelete_TouchTheRowsOfTheirTenantOnly()
    {
        var (a, b) = await database.OpenTwoAsync("bulk");
        Assert.Equal(2, await a.Lines.ExecuteUpdateAsync(set => set.SetProperty(line => line.Text, "of a")));
        Assert.Equal(2, b.Lines.ExecuteUpdate(set => set.SetProperty(line => line.Text, "of b")));
        Assert.Equal(2, await a.Lines.ExecuteDeleteAsync());
        Assert.Equal(0, await a.Lines.CountAsync());
        Assert.Equal(["of b", "of b"], await b.Lines.Select(line => line.Text).ToListAsync());
    }

    [Fact]
    public async Task Dapper_OnTheContextsConnection_RunsAsTheTenant()
    {
        var (a, b) = await database.OpenTwoAsync("dapper");
        foreach (var notebook in new[] { a, b, a, b })
        {
            var connection = notebook.Database.GetDbConnection();
            Assert.Equal(notebook.Tenant, await connection.QuerySingleAsync<string>("SELECT \"Tenant\" FROM note"));
            Assert.Equal(2, connection.Query<string>("SELECT \"Tenant\" FROM line").Count(tenant => tenant == notebook.Tenant));
            await using (var grid = await connection.QueryMultipleAsync("SELECT \"Tenant\" FROM note; SELECT \"Tenant\" FROM line"))
            {
                Assert.Equal(notebook.Tenant, await grid.ReadSingleAsync<string>()); // The other half is never read.
            }

            Assert.Equal(1, await connection.ExecuteAsync("UPDATE note SET \"Edits\" = @edits", new { edits = 7 }));
        }
    }

    [Fact]
    public async Task ChangedTenant_CountsFromTheNextStatement()
    {
        var (a, b) = await database.OpenTwoAsync("changed");
        (a.Tenant, b.Tenant) = (b.Tenant, a.Tenant);
        Assert.Equal(a.Tenant, (await a.Notes.SingleAsync()).Tenant);
        Assert.Equal(b.Tenant, (await b.Notes.SingleAsync()).Tenant);
    }

    [Fact]
    public async Task FailedAndCancelledQueries_LeaveNothingToTheNextTenant()
    {
        var (a, b) = await database.OpenTwoAsync("failed");
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<PostgresException>(() => a.Database.SqlQuery<int>($"SELECT 1 / (2 - \"Text\"::int) AS \"Value\" FROM line").ToListAsync());
            Assert.Equal(b.Tenant, await b.Notes.Select(note => note.Tenant).SingleAsync());
            using var cancel = new CancellationTokenSource();
            var sleeping = a.Database.SqlQueryRaw<int>("SELECT 1 AS \"Value\" FROM pg_sleep(600)").ToListAsync(cancel.Token);
            await database.Server.WaitForActivityAsync(all => all.Any(each => each is { ApplicationName: "failed", State: "active" } && each.Query.Contains("pg_sleep", StringComparison.Ordinal)), TimeSpan.FromSeconds(30));
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sleeping);
            Assert.Equal(b.Tenant, await b.Notes.Select(note => note.Tenant).SingleAsync());
            Assert.Equal(a.Tenant, await a.Notes.Select(note => note.Tenant).SingleAsync());
        }
    }
}
