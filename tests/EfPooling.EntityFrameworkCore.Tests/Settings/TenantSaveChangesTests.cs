using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>SaveChanges writes as the context's tenant, in one statement or many, and a failure leaves nothing to the next tenant.</summary>
public sealed class TenantSaveChangesTests(TenantDatabase database) : IClassFixture<TenantDatabase>
{
    [Fact]
    public async Task OneRowAndMany_AreWrittenAsTheTenant_WithAndWithoutReturning()
    {
        var (a, b) = await database.OpenTwoAsync("rows");
        for (var i = 0; i < 3; i++)
        {
            foreach (var notebook in new[] { a, b })
            {
                var note = new Note { Claimed = notebook.Tenant!, Text = $"one {i}" };
                notebook.Add(note); // One statement, no transaction, with RETURNING.
                await notebook.SaveChangesAsync();
                Assert.Equal(notebook.Tenant, note.Tenant);

                note.Edits++; // Without RETURNING.
                Assert.Equal(1, await notebook.SaveChangesAsync());

                notebook.AddRange(Enumerable.Range(0, 100).Select(n => TenantDatabase.NoteOf(notebook, $"many {i} {n}")));
                Assert.Equal(300, notebook.SaveChanges());
                Assert.All(notebook.ChangeTracker.Entries<NoteLine>(), line => Assert.Equal(notebook.Tenant, line.Entity.Tenant));

                notebook.RemoveRange(notebook.ChangeTracker.Entries<NoteLine>().Take(50).Select(line => line.Entity));
                Assert.Equal(50, await notebook.SaveChangesAsync());
                notebook.ChangeTracker.Clear();
            }
        }

        Assert.Equal(304, await a.Notes.CountAsync());
        Assert.Equal(304, await b.Notes.CountAsync());
        Assert.Equal(0, await database.CountStrangersAsync());
    }

    [Theory]
    [InlineData(AutoTransactionBehavior.WhenNeeded)]
    [InlineData(AutoTransactionBehavior.Always)]
    [InlineData(AutoTransactionBehavior.Never)]
    public async Task FailureInTheMiddle_LeavesNothingToTheNextTenant(AutoTransactionBehavior behaviour)
    {
        var (a, b) = await database.OpenTwoAsync($"middle {behaviour}");
        a.Database.AutoTransactionBehavior = behaviour;
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(b.Tenant, await b.Notes.Select(note => note.Tenant).SingleAsync());
            a.AddRange(new Note { Claimed = a.Tenant!, Text = $"new {i}" }, new Note { Claimed = a.Tenant!, Text = "first" }, new Note { Claimed = a.Tenant!, Text = $"newer {i}" });
            await Assert.ThrowsAsync<DbUpdateException>(() => a.SaveChangesAsync());
            Assert.Equal(a.Tenant, await a.Notes.Select(note => note.Tenant).SingleAsync()); // The server has undone the setting with the rows.
            Assert.Equal(b.Tenant, await b.Notes.Select(note => note.Tenant).SingleAsync());
            a.ChangeTracker.Clear();

            a.Add(new Note { Claimed = a.Tenant!, Text = "first" }); // One statement: the setting that travels with it is undone.
            Assert.Throws<DbUpdateException>(() => a.SaveChanges());
            Assert.Equal(a.Tenant, await a.Notes.Select(note => note.Tenant).Distinct().SingleAsync());
            a.ChangeTracker.Clear();
        }

        Assert.Equal(0, await database.CountStrangersAsync());
        Assert.Equal(0, b.Database.GetTransactionPool().GetSnapshot().InUse);
    }

    [Fact]
    public async Task RowsOfAnotherTenant_CannotBeWritten()
    {
        var (a, b) = await database.OpenTwoAsync("forged");
        a.Add(new Note { Claimed = b.Tenant!, Text = "forged" });
        var error = await Assert.ThrowsAsync<DbUpdateException>(() => a.SaveChangesAsync());
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, Assert.IsType<PostgresException>(error.InnerException).SqlState);
        a.ChangeTracker.Clear();

        var ofB = await b.Notes.SingleAsync();
        b.Entry(ofB).State = EntityState.Detached;
        a.Attach(ofB).Property(note => note.Edits).CurrentValue = 99;
        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => a.SaveChangesAsync());
        Assert.Equal(0, (await b.Notes.SingleAsync()).Edits);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RetriedAfterAKill_WritesAsTheTenant(bool manyRows)
    {
        var name = $"retried {manyRows}";
        var (a, b) = await database.OpenTwoAsync(name, builder => builder.UseNpgsql(npgsql => npgsql.EnableRetryOnFailure(5, TimeSpan.Zero, null)));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(b.Tenant, await b.Notes.Select(note => note.Tenant).Distinct().SingleAsync());
            var backend = (await database.Server.QueryActivityAsync()).Single(each => each.ApplicationName == name);
            Assert.True(await database.Server.TerminateBackendAsync(backend.ProcessId));
            a.Add(manyRows ? TenantDatabase.NoteOf(a, $"retried {i}") : new Note { Claimed = a.Tenant!, Text = $"retried {i}" });
            await a.SaveChangesAsync();
        }

        Assert.Equal(4, await a.Notes.CountAsync());
        Assert.Equal(1, await b.Notes.CountAsync());
        Assert.Equal(0, await database.CountStrangersAsync());
    }

    [Fact]
    public async Task BatchesOfSeveralRoundTrips_StayTheTenants()
    {
        var (a, b) = await database.OpenTwoAsync("round trips", builder => builder.UseNpgsql(npgsql => npgsql.MaxBatchSize(3)));
        foreach (var notebook in new[] { a, b })
        {
            notebook.AddRange(Enumerable.Range(0, 10).Select(n => TenantDatabase.NoteOf(notebook, $"{n}")));
            Assert.Equal(30, await notebook.SaveChangesAsync());
        }

        Assert.Equal((11, 11), (await a.Notes.CountAsync(), await b.Notes.CountAsync()));
        Assert.Equal(0, await database.CountStrangersAsync());
    }
}
