using System.Transactions;
using EfPooling.AdoNet;
using Npgsql;

namespace EfPooling.Aot.Sample;

/// <summary>Errors that say who did what, which the pool finds out by reflection.</summary>
internal static class Mistakes
{
    public static async Task<string> UseAtTheSameTimeAsync(string connectionString)
    {
        await using var pool = TransactionPoolingDataSource.Create(connectionString, options => options.CallSiteSampling = CallSiteSampling.Always);
        await using var connection = await pool.OpenConnectionAsync();
        await using var first = new LogicalCommand("SELECT 1", connection);
        await using var second = new LogicalCommand("SELECT 2", connection);
        await using var reader = await first.ExecuteReaderAsync();
        try
        {
            await second.ExecuteScalarAsync();
            return "not noticed";
        }
        catch (ConcurrentUseException error)
        {
            return error.Running.CallSite ?? "no call site";
        }
    }

    public static async Task<string> CommitWithAnotherParticipantAsync(string connectionString)
    {
        await using var pool = TransactionPoolingDataSource.Create(connectionString, options => options.Name = "orders");
        try
        {
            using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
            await using (var pooled = await pool.OpenConnectionAsync())
            await using (var command = new LogicalCommand("INSERT INTO item VALUES (3)", pooled))
            {
                await command.ExecuteNonQueryAsync();
            }

            await using (var plain = new NpgsqlConnection(connectionString))
            {
                await plain.OpenAsync();
                await using var command = new NpgsqlCommand("INSERT INTO item VALUES (4)", plain);
                await command.ExecuteNonQueryAsync();
            }

            scope.Complete();
        }
        catch (TransactionAbortedException error)
        {
            return error.InnerException?.GetType().Name ?? "no reason";
        }

        return "committed";
    }
}
