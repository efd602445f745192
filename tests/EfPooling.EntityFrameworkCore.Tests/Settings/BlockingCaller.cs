using Dapper;
using EfPooling.AdoNet;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>A caller that blocks its thread, as synchronous code does.</summary>
internal sealed class BlockingCaller : StressCaller
{
    private static readonly Func<Notebook, IEnumerable<Note>> LatestNotes =
        EF.CompileQuery((Notebook notebook) => notebook.Notes.AsNoTracking().OrderByDescending(note => note.Id).Take(5));

    private readonly Action<CancellationToken>[] _operations;

    public BlockingCaller(StressWorld world, int number, int seed)
        : base(world, number, seed)
        => _operations =
        [
            .. Often(20, Query), .. Often(8, Save), .. Often(4, SaveWhatIsTaken), .. Often(4, SaveInTransaction), .. Often(34, DapperQuery), .. Often(10, DapperInsert),
            .. Often(6, HalfRead), .. Often(8, Batch), .. Often(2, UnwritableParameter), .. Often(4, Savepoint),
        ];

    public void Run(int operations)
    {
        for (var i = 0; i < operations; i++)
        {
            Begin();
            using var cancellation = new CancellationTokenSource();
            if (Chance(4))
            {
                cancellation.CancelAfter(Random.Next(4)); // Whenever the operation has come to after so long.
            }

            var run = _operations[Random.Next(_operations.Length)];
            try
            {
                run(cancellation.Token);
                Succeeded();
            }
            catch (Exception e)
            {
                Failed(e, run.Method.Name, cancellation.IsCancellationRequested);
            }

            World.CountAsync(Random).GetAwaiter().GetResult(); // On a thread of its own.
        }
    }

    private void Query(CancellationToken token)
    {
        using var notebook = World.Open(Tenant);
        var notes = LatestNotes(notebook).ToList();
        notes.ForEach(note => See(note.Tenant, note.Claimed));
        Expect(notes.Count > 0, "no rows");
    }

    private void Save(CancellationToken token)
    {
        using var notebook = World.Open(Tenant);
        var note = NoteOf(Write(lines: Random.Next(3)));
        notebook.Add(note);
        notebook.SaveChanges();
        See(note.Tenant, note.Claimed);
    }

    private void SaveWhatIsTaken(CancellationToken token)
    {
        using var notebook = World.Open(Tenant);
        if (Chance(50))
        {
            notebook.Add(NoteOf(Write(lines: 1)));
        }

        notebook.Add(new Note { Claimed = Tenant, Text = Taken });
        notebook.SaveChanges();
        Expect(false, "wrote what was taken");
    }

    private void SaveInTransaction(CancellationToken token)
    {
        using var notebook = World.Open(Tenant);
        using var transaction = notebook.Database.BeginTransaction();
        notebook.Add(NoteOf(Write(lines: 1)));
        notebook.SaveChanges();
        foreach (var note in notebook.Notes.AsNoTracking().OrderByDescending(each => each.Id).Take(3))
        {
            See(note.Tenant, note.Claimed);
        }

        if (Chance(20))
        {
            throw new IntendedException();
        }

        transaction.Commit();
    }

    private void DapperQuery(CancellationToken token)
    {
        using var connection = Connect();
        var rows = connection.Query<(string Tenant, string Claimed)>(Rows).ToList();
        rows.ForEach(row => See(row.Tenant, row.Claimed));
        Expect(rows.Count > 0, "no rows");
    }

    private void DapperInsert(CancellationToken token)
    {
        using var connection = Connect();
        See(connection.ExecuteScalar<string>(Insert, new { claimed = Tenant, text = Write().Text })!, Tenant);
    }

    private void HalfRead(CancellationToken token)
    {
        using var connection = Connect();
        connection.Open();
        var isEndless = Chance(20);
        using var command = StressWorld.Command(connection, isEndless ? EndlessRows : ManyRows);
        using var cancelling = token.Register(command.Cancel); // From another thread.
        using var reader = command.ExecuteReader();
        Read(reader, Random.Next(isEndless ? 3 : 20));
        if (isEndless || Chance(10))
        {
            command.Cancel();
        }
    }

    private void Batch(CancellationToken token)
    {
        using var connection = Connect();
        connection.Open();
        using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Rows));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Insert) { Parameters = { new("claimed", Tenant), new("text", Write().Text) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Rows));
        using var reader = batch.ExecuteReader();
        Read(reader, Random.Next(4));
    }

    private void UnwritableParameter(CancellationToken token)
    {
        using var connection = Connect();
        connection.Open();
        using var command = StressWorld.Command(connection, "SELECT @x");
        command.Parameters.Add(Unwritable());
        try
        {
            command.ExecuteScalar();
            Expect(false, "wrote what cannot be written");
        }
        catch (Exception e) when (e is InvalidCastException or FormatException)
        {
            QueryRows(connection);
        }
    }

    private void Savepoint(CancellationToken token)
    {
        using var connection = Connect();
        connection.Open();
        using var transaction = connection.BeginTransaction();
        transaction.Save("before");
        var write = Write();
        using (var command = StressWorld.Command(connection, Insert, ("claimed", write.Tenant), ("text", write.Text)))
        {
            See((string)command.ExecuteScalar()!, write.Tenant);
        }

        transaction.Rollback("before");
        write.End(committed: false);
        QueryRows(connection);
        transaction.Commit();
    }

    private void QueryRows(LogicalConnection connection)
    {
        using var command = StressWorld.Command(connection, Rows);
        using var reader = command.ExecuteReader();
        Read(reader, int.MaxValue);
    }

    private void Read(System.Data.Common.DbDataReader reader, int rows)
    {
        for (var i = 0; i < rows && reader.Read(); i++)
        {
            See(reader.GetString(0), reader.GetString(1));
        }
    }
}
