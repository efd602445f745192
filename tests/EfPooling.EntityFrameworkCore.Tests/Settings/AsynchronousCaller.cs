using System.Data.Common;
using System.Transactions;
using Dapper;
using EfPooling.AdoNet;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>A caller that awaits.</summary>
internal sealed class AsynchronousCaller : StressCaller
{
    private static readonly Func<Notebook, IAsyncEnumerable<Note>> LatestNotes =
        EF.CompileAsyncQuery((Notebook notebook) => notebook.Notes.AsNoTracking().OrderByDescending(note => note.Id).Take(5));

    private readonly Func<CancellationToken, Task>[] _operations;

    public AsynchronousCaller(StressWorld world, int number, int seed)
        : base(world, number, seed)
        => _operations =
        [
            .. Often(15, QueryAsync), .. Often(5, StreamAsync), .. Often(5, SaveOneAsync), .. Often(3, SaveManyAsync), .. Often(2, SaveWhatIsTakenAsync),
            .. Often(3, SaveInTransactionAsync), .. Often(5, UpdateAsync), .. Often(16, DapperQueryAsync), .. Often(12, DapperFirstAsync),
            .. Often(8, DapperOnContextAsync), .. Often(6, DapperInsertAsync), .. Often(3, DapperInTransactionAsync), .. Often(4, HalfReadAsync),
            .. Often(5, BatchAsync), .. Often(1, UnwritableParameterAsync), .. Often(2, ServerErrorAsync), .. Often(2, SavepointAsync), .. Often(3, SwitchTenantAsync),
            .. Often(3, HostileAsync), .. Often(2, HostileInTransactionAsync), .. Often(3, ScopeAsync),
        ];

    public async Task RunAsync(int operations)
    {
        for (var i = 0; i < operations; i++)
        {
            Begin();
            using var cancellation = new CancellationTokenSource();
            var run = _operations[Random.Next(_operations.Length)];
            if (Chance(4))
            {
                if (Chance(30))
                {
                    await cancellation.CancelAsync(); // At once.
                }
                else
                {
                    cancellation.CancelAfter(Random.Next(4)); // Whenever the operation has come to after so long.
                }
            }

            try
            {
                await run(cancellation.Token);
                Succeeded();
            }
            catch (Exception e)
            {
                Failed(e, run.Method.Name, cancellation.IsCancellationRequested);
            }

            await World.CountAsync(Random);
        }
    }

    private async Task QueryAsync(CancellationToken token)
    {
        await using var notebook = World.Open(Tenant);
        var count = 0;
        await foreach (var note in LatestNotes(notebook).WithCancellation(token))
        {
            See(note.Tenant, note.Claimed);
            count++;
        }

        Expect(count > 0, "no rows");
    }

    private async Task StreamAsync(CancellationToken token)
    {
        await using var notebook = World.Open(Tenant);
        var left = Random.Next(10);
        await foreach (var line in notebook.Lines.AsNoTracking().Take(20).AsAsyncEnumerable().WithCancellation(token))
        {
            See(line.Tenant, line.Claimed);
            if (left-- == 0)
            {
                break;
            }
        }
    }

    private async Task SaveOneAsync(CancellationToken token)
    {
        await using var notebook = World.Open(Tenant);
        var note = NoteOf(Write());
        notebook.Add(note);
        await notebook.SaveChangesAsync(token);
        See(note.Tenant, note.Claimed);
    }

    private async Task SaveManyAsync(CancellationToken token)
    {
        await using var notebook = World.Open(Tenant);
        var note = NoteOf(Write(lines: 1 + Random.Next(2)));
        notebook.Add(note);
        await notebook.SaveChangesAsync(token);
        See(note.Tenant, note.Claimed);
        note.Lines.ForEach(line => See(line.Tenant, line.Claimed));
    }

    private async Task SaveWhatIsTakenAsync(CancellationToken token)
    {
        await using var notebook = World.Open(Tenant);
        if (Chance(50))
        {
            notebook.Add(NoteOf(Write())); // In one transaction with what fails, its own or that of the batch.
            notebook.Database.AutoTransactionBehavior = Chance(50) ? AutoTransactionBehavior.Never : AutoTransactionBehavior.WhenNeeded;
        }

        notebook.Add(new Note { Claimed = Tenant, Text = Taken });
        await notebook.SaveChangesAsync(token);
        Expect(false, "wrote what was taken");
    }

    private async Task SaveInTransactionAsync(CancellationToken token)
    {
        await using var notebook = World.Open(Tenant);
        await using var transaction = await notebook.Database.BeginTransactionAsync(token);
        notebook.Add(NoteOf(Write(lines: 1)));
        await notebook.SaveChangesAsync(token);
        if (Chance(20))
        {
            notebook.Add(new Note { Claimed = Tenant, Text = Taken });
            await Assert.ThrowsAnyAsync<Exception>(() => notebook.SaveChangesAsync(token)); // EF Core goes back to its savepoint.
            notebook.ChangeTracker.Clear();
        }

        foreach (var note in await notebook.Notes.AsNoTracking().OrderByDescending(each => each.Id).Take(3).ToListAsync(token))
        {
            See(note.Tenant, note.Claimed);
        }

        if (Chance(20))
        {
            throw new IntendedException();
        }

        await transaction.CommitAsync(token);
    }

    private async Task UpdateAsync(CancellationToken token)
    {
        await using var notebook = World.Open(Tenant);
        if (Latest() is { } latest)
        {
            var changed = await notebook.Notes.Where(note => note.Text == latest.Text).ExecuteUpdateAsync(set => set.SetProperty(note => note.Edits, note => note.Edits + 1), token);
            Expect(changed == (latest.Tenant == Tenant ? 1 : 0), $"changed {changed} notes of {latest.Tenant}");
        }
    }

    private async Task DapperQueryAsync(CancellationToken token)
    {
        await using var connection = Connect();
        var rows = (await connection.QueryAsync<(string Tenant, string Claimed)>(new CommandDefinition(Rows, cancellationToken: token))).ToList();
        rows.ForEach(row => See(row.Tenant, row.Claimed));
        Expect(rows.Count > 0, "no rows");
    }

    private async Task DapperFirstAsync(CancellationToken token)
    {
        await using var connection = Connect();
        await connection.OpenAsync(token);
        var (tenant, claimed) = await connection.QueryFirstAsync<(string Tenant, string Claimed)>(new CommandDefinition(Rows, cancellationToken: token));
        See(tenant, claimed);
    }

    private async Task DapperOnContextAsync(CancellationToken token)
    {
        await using var notebook = World.Open(Tenant);
        foreach (var (tenant, claimed) in await notebook.Database.GetDbConnection().QueryAsync<(string Tenant, string Claimed)>(new CommandDefinition(Rows, cancellationToken: token)))
        {
            See(tenant, claimed);
        }
    }

    private async Task DapperInsertAsync(CancellationToken token)
    {
        await using var connection = Connect();
        See((await connection.ExecuteScalarAsync<string>(new CommandDefinition(Insert, new { claimed = Tenant, text = Write().Text }, cancellationToken: token)))!, Tenant);
    }

    private async Task DapperInTransactionAsync(CancellationToken token)
    {
        await using var connection = Connect();
        await connection.OpenAsync(token);
        await using var transaction = await connection.BeginTransactionAsync(token);
        var write = Write();
        See((await connection.ExecuteScalarAsync<string>(new CommandDefinition(Insert, new { claimed = Tenant, text = write.Text }, transaction, cancellationToken: token)))!, Tenant);
        if (Chance(20))
        {
            write.End(committed: false); // Rolled back by the dispose.
            return;
        }

        await transaction.CommitAsync(token);
    }

    private async Task HalfReadAsync(CancellationToken token)
    {
        await using var connection = Connect();
        await connection.OpenAsync(token);
        var isEndless = Chance(30);
        await using var command = StressWorld.Command(connection, isEndless ? EndlessRows : ManyRows);
        await using var reader = await command.ExecuteReaderAsync(token);
        await ReadAsync(reader, Random.Next(isEndless ? 3 : 20), token);
        if (isEndless || Chance(10))
        {
            command.Cancel(); // Npgsql says nothing about it when the reader is closed.
        }
    }

    private async Task BatchAsync(CancellationToken token)
    {
        await using var connection = Connect();
        await connection.OpenAsync(token);
        await using var batch = connection.CreateBatch();
        var write = Write();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Rows));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Insert) { Parameters = { new("claimed", Tenant), new("text", write.Text) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Rows));
        await using var reader = await batch.ExecuteReaderAsync(token);
        await ReadAsync(reader, Random.Next(4), token);
        if (Chance(50) && await reader.NextResultAsync(token) && await reader.ReadAsync(token))
        {
            See(reader.GetString(0), Tenant);
        }
    }

    private async Task UnwritableParameterAsync(CancellationToken token)
    {
        await using var connection = Connect();
        await connection.OpenAsync(token);
        await using var command = StressWorld.Command(connection, "SELECT @x");
        command.Parameters.Add(Unwritable());
        try
        {
            await command.ExecuteScalarAsync(token);
            Expect(false, "wrote what cannot be written");
        }
        catch (Exception e) when (e is InvalidCastException or FormatException)
        {
            await QueryRowsAsync(connection, token);
        }
    }

    private async Task ServerErrorAsync(CancellationToken token)
    {
        await using var connection = Connect();
        await connection.OpenAsync(token);
        await using var command = StressWorld.Command(connection, "SELECT \"Tenant\", \"Claimed\", 1 / (3 - n) FROM (SELECT * FROM note LIMIT 1) each, generate_series(1, 9) n");
        await using var reader = await command.ExecuteReaderAsync(token);
        await ReadAsync(reader, Random.Next(5), token);
    }

    private async Task SavepointAsync(CancellationToken token)
    {
        await using var connection = Connect();
        await connection.OpenAsync(token);
        await using var transaction = await connection.BeginTransactionAsync(token);
        var first = Write();
        await InsertAsync(connection, first, token);
        await transaction.SaveAsync("before", token);
        var second = Write();
        await InsertAsync(connection, second, token);
        if (Chance(50))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => connection.ExecuteAsync(new CommandDefinition("SELECT 1 / 0", cancellationToken: token)));
        }

        await transaction.RollbackAsync("before", token);
        second.End(committed: false);
        await QueryRowsAsync(connection, token);
        await transaction.CommitAsync(token);
    }

    private async Task SwitchTenantAsync(CancellationToken token)
    {
        await using var connection = World.Pool.CreateConnection();
        await connection.OpenAsync(token);
        await using var transaction = Chance(50) ? await connection.BeginTransactionAsync(token) : null;
        foreach (var tenant in new[] { Tenant, OtherTenant(), Tenant })
        {
            connection.SetSessionSetting("app.tenant_id", tenant);
            foreach (var row in await connection.QueryAsync<(string Tenant, string Claimed)>(new CommandDefinition(Rows, cancellationToken: token)))
            {
                See(row.Tenant, row.Claimed, tenant);
            }
        }
    }

    // Whoever it is that runs behind it, here or on another connection, is to see nothing of it.
    private async Task HostileAsync(CancellationToken token)
    {
        await using var connection = Connect();
        await connection.OpenAsync(token);
        await connection.ExecuteAsync(new CommandDefinition(HostileFunctions.Call(Random, OtherTenant()), cancellationToken: token));
        await QueryRowsAsync(connection, token);
    }

    private async Task HostileInTransactionAsync(CancellationToken token)
    {
        await using var notebook = World.Open(Tenant);
        await using var transaction = await notebook.Database.BeginTransactionAsync(token);
        await notebook.Database.ExecuteSqlRawAsync(HostileFunctions.Call(Random, OtherTenant()), token);
        var note = NoteOf(Write(lines: 1));
        notebook.Add(note);
        await notebook.SaveChangesAsync(token);
        See(note.Tenant, note.Claimed);
        await transaction.CommitAsync(token);
    }

    private async Task ScopeAsync(CancellationToken token)
    {
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await using (var connection = Connect())
        {
            await connection.OpenAsync(token);
            await InsertAsync(connection, Write(), token);
            if (Chance(30))
            {
                await connection.ExecuteAsync(new CommandDefinition(HostileFunctions.Call(Random, OtherTenant()), cancellationToken: token));
            }
        }

        await using var notebook = World.Open(Tenant);
        var note = NoteOf(Write(lines: 1));
        notebook.Add(note);
        await notebook.SaveChangesAsync(token);
        See(note.Tenant, note.Claimed);
        if (Chance(20))
        {
            throw new IntendedException();
        }

        scope.Complete();
    }

    private async Task InsertAsync(LogicalConnection connection, StressWrite write, CancellationToken token)
    {
        await using var command = StressWorld.Command(connection, Insert, ("claimed", write.Tenant), ("text", write.Text));
        See((string)(await command.ExecuteScalarAsync(token))!, write.Tenant);
    }

    private async Task QueryRowsAsync(LogicalConnection connection, CancellationToken token)
    {
        await using var command = StressWorld.Command(connection, Rows);
        await using var reader = await command.ExecuteReaderAsync(token);
        await ReadAsync(reader, int.MaxValue, token);
    }

    private async Task ReadAsync(DbDataReader reader, int rows, CancellationToken token)
    {
        for (var i = 0; i < rows && await reader.ReadAsync(token); i++)
        {
            See(reader.GetString(0), reader.GetString(1));
        }
    }
}
