using System.Data.Common;
using System.Globalization;
using Dapper;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>One caller of <see cref="ReadBatchStressTests"/>: does one thing after the other at random, and checks that each row is the one it asked for.</summary>
/// <param name="pool">With <c>app.tenant_id</c> declared as the value of <paramref name="tenant"/>.</param>
/// <param name="tenant">Set by <see cref="RunAsync"/>.</param>
/// <param name="nesting">How many may await another read inside a read: fewer than there are server connections, or they wait for each other.</param>
/// <param name="number">Of the caller.</param>
/// <param name="random">Its own.</param>
internal sealed class StressRead(TransactionPoolingDataSource pool, AsyncLocal<string> tenant, SemaphoreSlim nesting, int number, Random random)
{
    private const int Tenants = 3;
    private const string Own = "SELECT $1 AS own, current_setting('app.tenant_id') AS tenant, n FROM generate_series(1, $2) AS n";

    private readonly string _tenant = $"tenant {number % Tenants}";
    private int _operation;

    /// <summary>Writes that were certainly carried out, and those of which nobody knows.</summary>
    public int Written { get; private set; }

    public int InDoubt { get; private set; }

    public int Operations => _operation;

    /// <returns>What went wrong, or <c>null</c>.</returns>
    public async Task<string?> RunAsync(Func<bool> isOver)
    {
        tenant.Value = _tenant;
        while (!isOver())
        {
            _operation++;
            var kind = random.Next(1000);
            using var cancellation = new CancellationTokenSource();
            try
            {
                await using var connection = await pool.OpenConnectionAsync();
                await ActAsync(connection, kind, cancellation);
            }
            catch (Exception e) when (IsExpected(e, kind, cancellation))
            {
                // It asked for that, or its server connection was killed.
            }
            catch (Exception e)
            {
                return $"caller {number}, operation {_operation}, kind {kind}: {e}";
            }
        }

        return null;
    }

    private Task ActAsync(LogicalConnection connection, int kind, CancellationTokenSource cancellation) => kind switch
    {
        < 6 => connection.AskAsync<int>("SELECT nonsense"),
        < 12 => connection.AskAsync<int>("SELECT 1 / 0"),
        < 20 => connection.QueryAsync<int>("SELECT 1 / (20 - n) FROM generate_series(1, 40) AS n"), // in the middle of its rows
        < 50 => CancelAsync(connection, cancellation),
        < 51 => TimeOutAsync(connection),
        < 55 => NestAsync(connection),
        < 100 => ReadAsync(connection, rows: random.Next(1, 100), stopAfter: random.Next(3), CancellationToken.None), // half read, then closed
        < 110 => LeaveOpenAsync(connection),
        < 130 => ReadAsync(connection, rows: 5, stopAfter: int.MaxValue, CancellationToken.None, synchronously: true),
        < 140 => WriteAsync(connection, inTransaction: false),
        < 145 => WriteAsync(connection, inTransaction: true),
        < 200 => ReadAsync(connection, rows: random.Next(200), stopAfter: int.MaxValue, CancellationToken.None),
        _ => ReadAsync(connection, rows: 1, stopAfter: int.MaxValue, CancellationToken.None),
    };

    private async Task ReadAsync(LogicalConnection connection, int rows, int stopAfter, CancellationToken token, bool synchronously = false)
    {
        var own = NewOwn();
        await using var command = CreateCommand(connection, own, rows);
        var reader = await command.ExecuteReaderAsync(token);
        var read = 0;
        try
        {
            while (read < stopAfter && (synchronously ? reader.Read() : await reader.ReadAsync(token)))
            {
                Check(reader, own, ++read);
            }
        }
        finally
        {
            await CloseAsync(reader, synchronously);
        }

        Require(read == Math.Min(rows, stopAfter), $"{read} rows of {rows}, at most {stopAfter}");
    }

    private async Task LeaveOpenAsync(LogicalConnection connection)
    {
        var own = NewOwn();
        var command = CreateCommand(connection, own, rows: 10); // Nobody disposes it, nor its reader.
        var reader = await command.ExecuteReaderAsync();
        if (await reader.ReadAsync())
        {
            Check(reader, own, 1);
        }
    }

    private async Task CancelAsync(LogicalConnection connection, CancellationTokenSource cancellation)
    {
        switch (random.Next(4))
        {
            case 0:
                await cancellation.CancelAsync();
                break;
            case 1:
                cancellation.CancelAfter(random.Next(10));
                break;
            case 2:
                var reading = ReadAsync(connection, rows: 3, stopAfter: int.MaxValue, cancellation.Token);
                await cancellation.CancelAsync(); // while it waits or is in a batch
                await reading;
                return;
            default:
                cancellation.CancelAfter(TimeSpan.FromMicroseconds(random.Next(5000)));
                break;
        }

        await ReadAsync(connection, rows: random.Next(1, 5000), stopAfter: int.MaxValue, cancellation.Token);
    }

    private async Task TimeOutAsync(LogicalConnection connection)
    {
        if (random.Next(40) == 0)
        {
            await using var command = new LogicalCommand("SELECT count(*) FROM generate_series(1, 30000000)", connection) { CommandTimeout = 1 };
            await command.ExecuteScalarAsync();
        }
    }

    private async Task NestAsync(LogicalConnection connection)
    {
        await nesting.WaitAsync();
        try
        {
            var own = NewOwn();
            await using var command = CreateCommand(connection, own, rows: 4);
            await using var reader = await command.ExecuteReaderAsync();
            for (var row = 1; await reader.ReadAsync(); row++)
            {
                Check(reader, own, row);
                if (row == 2)
                {
                    await using var inner = await pool.OpenConnectionAsync();
                    await ReadAsync(inner, rows: 2, stopAfter: int.MaxValue, CancellationToken.None);
                }
            }
        }
        finally
        {
            nesting.Release();
        }
    }

    private async Task WriteAsync(LogicalConnection connection, bool inTransaction)
    {
        try
        {
            await using var transaction = inTransaction ? await connection.BeginTransactionAsync() : null;
            await connection.RunAsync($"UPDATE stress_counter SET n = n + 1 WHERE id = {number}");
            await (transaction?.CommitAsync() ?? Task.CompletedTask);
            Written++;
        }
        catch
        {
            InDoubt++;
            throw;
        }
    }

    private static async Task CloseAsync(DbDataReader reader, bool synchronously)
    {
        if (synchronously)
        {
            reader.Close();
        }
        else
        {
            await reader.CloseAsync();
        }
    }

    private string NewOwn() => string.Create(CultureInfo.InvariantCulture, $"{number}-{_operation}-{random.Next()}");

    private static LogicalCommand CreateCommand(LogicalConnection connection, string own, int rows) => new(Own, connection)
    {
        Parameters = { new NpgsqlParameter<string> { TypedValue = own }, new NpgsqlParameter<int> { TypedValue = rows } },
    };

    private void Check(DbDataReader reader, string own, int row)
    {
        var found = (reader.GetString(0), reader.GetString(1), reader.GetInt32(2));
        Require(found == (own, _tenant, row), $"expected {(own, _tenant, row)}, found {found}");
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new MixedUpException(what);
        }
    }

    private static bool IsExpected(Exception error, int kind, CancellationTokenSource cancellation) => error switch
    {
        OperationCanceledException => cancellation.IsCancellationRequested,
        PostgresException { SqlState: PostgresErrorCodes.UndefinedColumn } => kind < 6,
        PostgresException { SqlState: PostgresErrorCodes.DivisionByZero } => kind is >= 6 and < 20,
        PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } => false,
        PostgresException postgres => postgres.SqlState == PostgresErrorCodes.AdminShutdown,
        NpgsqlException { InnerException: TimeoutException } => kind == 50,
        NpgsqlException { InnerException: IOException or null } => true, // killed
        CommitOutcomeUnknownException or TransactionBrokenException => true, // killed
        _ => false,
    };

    private sealed class MixedUpException(string message) : Exception(message);
}
