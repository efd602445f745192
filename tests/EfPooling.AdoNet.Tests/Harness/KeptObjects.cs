using System.Transactions;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>
/// What somebody may keep of a leased session: given its connection, each makes an object and returns the use of it that comes too late.
/// A late use may fail in any way, if only nobody else notices.
/// </summary>
internal static class KeptObjects
{
    public const string OtherTenant = "SET app.tenant_id = '2'";

    private static readonly Dictionary<string, Func<NpgsqlConnection, Task<Func<Task>>>> All = new()
    {
        ["connection: SET"] = Keep(connection => () => connection.RunAsync(OtherTenant)),
        ["connection: COMMIT as text"] = Keep(connection => () => connection.RunAsync("COMMIT")),
        ["connection: BeginTransaction and Dispose"] = Keep(connection => async () => await (await connection.BeginTransactionAsync()).DisposeAsync()),
        ["connection: Close"] = Keep(connection => connection.CloseAsync),
        ["connection: Dispose"] = Keep(connection => async () => await connection.DisposeAsync()),
        ["connection: Close and Open"] = Keep(connection => async () =>
        {
            await connection.CloseAsync();
            await connection.OpenAsync();
            await connection.RunAsync(OtherTenant);
        }),
        ["connection: ChangeDatabase"] = Keep(connection => () => connection.ChangeDatabaseAsync("postgres")),
        ["connection: ReloadTypes"] = Keep(connection => () => connection.ReloadTypesAsync()),
        ["connection: UnprepareAll"] = Keep(connection => () => Task.Run(connection.UnprepareAll)),
        ["connection: WaitAsync"] = Keep(connection => () => connection.WaitAsync(TimeSpan.FromMilliseconds(1))),
        ["connection: COPY"] = Keep(connection => async () => await (await connection.BeginTextImportAsync("COPY draft (id) FROM STDIN")).DisposeAsync()),
        ["connection: clone"] = Keep(connection =>
        {
            var clone = connection.CloneWith(connection.ConnectionString);
            return () => clone.RunAsync(OtherTenant);
        }),
        ["connection: EnlistTransaction"] = Keep(connection => async () =>
        {
            using var transaction = new CommittableTransaction();
            connection.EnlistTransaction(transaction);
            await Task.Factory.FromAsync(transaction.BeginCommit, transaction.EndCommit, null);
        }),

        ["transaction: Dispose"] = KeepTransaction(transaction => async () => await transaction.DisposeAsync()),
        ["transaction: Commit"] = KeepTransaction(transaction => () => transaction.CommitAsync()),
        ["transaction: Rollback"] = KeepTransaction(transaction => () => transaction.RollbackAsync()),
        ["transaction: Save"] = KeepTransaction(transaction => () => transaction.SaveAsync("late")),
        ["transaction, committed: Dispose"] = KeepTransaction(transaction => async () => await transaction.DisposeAsync(), transaction => transaction.CommitAsync()),
        ["transaction, committed: Commit"] = KeepTransaction(transaction => () => transaction.CommitAsync(), transaction => transaction.CommitAsync()),
        ["transaction, rolled back: Rollback"] = KeepTransaction(transaction => () => transaction.RollbackAsync(), transaction => transaction.RollbackAsync()),
        ["transaction, disposed: Commit"] = KeepTransaction(transaction => () => transaction.CommitAsync(), async transaction => await transaction.DisposeAsync()),
        ["transaction, disposed: Dispose"] = KeepTransaction(transaction => async () => await transaction.DisposeAsync(), async transaction => await transaction.DisposeAsync()),
        ["transaction, its connection: SET"] = KeepTransaction(transaction => () => transaction.Connection!.RunAsync(OtherTenant)),
        ["ambient transaction: Commit"] = Keep(connection =>
        {
            var transaction = Enlist(connection);
            return () => Task.Factory.FromAsync(transaction.BeginCommit, transaction.EndCommit, null);
        }),
        ["ambient transaction: Rollback"] = Keep(connection =>
        {
            var transaction = Enlist(connection);
            return () =>
            {
                transaction.Rollback();
                return Task.CompletedTask;
            };
        }),
        ["ambient transaction, used: Commit"] = async connection =>
        {
            var transaction = Enlist(connection);
            await connection.RunAsync("SELECT 1");
            return () => Task.Factory.FromAsync(transaction.BeginCommit, transaction.EndCommit, null);
        },

        ["command: run"] = KeepCommand(OtherTenant, command => () => command.ExecuteNonQueryAsync()),
        ["command: Cancel"] = KeepCommand("SELECT 1", command => () => Task.Run(command.Cancel)),
        ["command: Dispose"] = KeepCommand("SELECT 1", command => async () => await command.DisposeAsync()),
        ["command, prepared: run"] = KeepCommand("SELECT set_config('app.tenant_id', '2', false)", command => () => command.ExecuteNonQueryAsync(), command => command.PrepareAsync()),
        ["command, prepared: Unprepare"] = KeepCommand("SELECT 1", command => () => command.UnprepareAsync(), command => command.PrepareAsync()),
        ["batch: run"] = Keep(connection =>
        {
            var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand(OtherTenant), new NpgsqlBatchCommand("COMMIT") } };
            return () => batch.ExecuteNonQueryAsync();
        }),

        ["reader, open: Read"] = KeepReader(reader => async () => await reader.ReadAsync()),
        ["reader, open: Close"] = KeepReader(reader => reader.CloseAsync),
        ["reader, closed: Read"] = KeepReader(reader => async () => await reader.ReadAsync(), reader => reader.CloseAsync()),
        ["reader, disposed: Close"] = KeepReader(reader => async () => await reader.DisposeAsync(), async reader => await reader.DisposeAsync()),
        ["stream: Read"] = async connection =>
        {
            var reader = await Command(connection, "SELECT 'bytes'::bytea").ExecuteReaderAsync();
            await reader.ReadAsync();
            var stream = await reader.GetStreamAsync(0);
            return async () => await stream.ReadAtLeastAsync(new byte[10], 1);
        },

        ["importer: Complete"] = async connection =>
        {
            var importer = await connection.BeginBinaryImportAsync("COPY draft (id) FROM STDIN (FORMAT BINARY)");
            return async () => await importer.CompleteAsync();
        },
        ["importer, closed: WriteRow"] = async connection =>
        {
            var importer = await connection.BeginBinaryImportAsync("COPY draft (id) FROM STDIN (FORMAT BINARY)");
            await importer.CloseAsync();
            return () => importer.WriteRowAsync(default, 99);
        },
        ["text importer: Write and Dispose"] = async connection =>
        {
            var importer = await connection.BeginTextImportAsync("COPY draft (id) FROM STDIN");
            return async () =>
            {
                await importer.WriteAsync("99\n");
                await importer.DisposeAsync();
            };
        },
        ["exporter: Dispose"] = async connection =>
        {
            var exporter = await connection.BeginBinaryExportAsync("COPY (SELECT generate_series(1, 1000)) TO STDOUT (FORMAT BINARY)");
            return async () => await exporter.DisposeAsync();
        },
        ["raw copy: Cancel"] = async connection =>
        {
            var copy = await connection.BeginRawBinaryCopyAsync("COPY draft (id) FROM STDIN (FORMAT BINARY)");
            return () => copy.CancelAsync();
        },
#pragma warning disable CS0618 // Large objects through Npgsql's own API, which it has called obsolete.
        ["large object: Write"] = async connection =>
        {
            var transaction = await connection.BeginTransactionAsync();
            var large = new NpgsqlLargeObjectManager(connection);
            var stream = await large.OpenReadWriteAsync(await large.CreateAsync(0, default), default);
            await transaction.CommitAsync();
            return async () => await stream.WriteAsync(new byte[10]);
        },
#pragma warning restore CS0618
    };

    public static TheoryData<string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool>();
            foreach (var name in All.Keys)
            {
                cases.Add(name, true);
                cases.Add(name, false);
            }

            return cases;
        }
    }

    /// <returns>Uses the object, too late.</returns>
    public static Task<Func<Task>> KeepAsync(string name, NpgsqlConnection connection) => All[name](connection);

    private static Func<NpgsqlConnection, Task<Func<Task>>> Keep(Func<NpgsqlConnection, Func<Task>> keep) => connection => Task.FromResult(keep(connection));

    private static Func<NpgsqlConnection, Task<Func<Task>>> KeepTransaction(Func<NpgsqlTransaction, Func<Task>> use, Func<NpgsqlTransaction, Task>? before = null)
        => async connection =>
        {
            var transaction = await connection.BeginTransactionAsync();
            await connection.RunAsync("SELECT 1");
            await (before?.Invoke(transaction) ?? Task.CompletedTask);
            return use(transaction);
        };

    private static Func<NpgsqlConnection, Task<Func<Task>>> KeepCommand(string sql, Func<NpgsqlCommand, Func<Task>> use, Func<NpgsqlCommand, Task>? before = null)
        => async connection =>
        {
            var command = Command(connection, sql);
            await (before?.Invoke(command) ?? command.ExecuteNonQueryAsync());
            return use(command);
        };

    private static Func<NpgsqlConnection, Task<Func<Task>>> KeepReader(Func<NpgsqlDataReader, Func<Task>> use, Func<NpgsqlDataReader, Task>? before = null)
        => async connection =>
        {
            var reader = await Command(connection, "SELECT generate_series(1, 100000)").ExecuteReaderAsync();
            await reader.ReadAsync();
            await (before?.Invoke(reader) ?? Task.CompletedTask);
            return use(reader);
        };

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql) => new(sql, connection);

    private static CommittableTransaction Enlist(NpgsqlConnection connection)
    {
        var transaction = new CommittableTransaction();
        connection.EnlistTransaction(transaction);
        return transaction;
    }
}
