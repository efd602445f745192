using System.Data.Common;
using EfPooling.Benchmarks.Load.Data;
using Npgsql;

namespace EfPooling.Benchmarks.Load.Apis;

/// <summary>Plain ADO.NET, asynchronous.</summary>
internal sealed class AdoApi(DbDataSource source) : IDataApi
{
    public Task PrepareAsync() => Task.CompletedTask;

    public async Task ReadItemAsync(int id)
    {
        await using var connection = await source.OpenConnectionAsync();
        await ReadItemAsync(connection, id);
    }

    public async Task ReadPageAsync(int page)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var command = CreateCommand(connection, Statements.ReadPage, page, BenchData.PageSize);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = 0;
        while (await reader.ReadAsync())
        {
            rows++;
            _ = reader.GetInt64(0);
            _ = reader.GetInt32(1);
            _ = reader.GetString(2);
            _ = reader.IsDBNull(3) ? null : reader.GetString(3);
            _ = reader.GetDecimal(4);
            _ = reader.GetDouble(5);
            _ = reader.GetBoolean(6);
            _ = reader.GetDateTime(7);
        }

        WrongResultException.ThrowUnless(rows == BenchData.PageSize);
    }

    public async Task UpdateItemAsync(int id)
    {
        await using var connection = await source.OpenConnectionAsync();
        await ExecuteAsync(connection, Statements.UpdateItem, id);
    }

    public async Task TransferAsync(Transfer transfer)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, Statements.UpdateAccount, transfer.Delta, transfer.AccountId);
        await using (var command = CreateCommand(connection, Statements.ReadBalance, transfer.AccountId))
        {
            _ = await command.ExecuteScalarAsync();
        }

        await ExecuteAsync(connection, Statements.UpdateTeller, transfer.Delta, transfer.TellerId);
        await ExecuteAsync(connection, Statements.UpdateBranch, transfer.Delta, transfer.BranchId);
        await ExecuteAsync(connection, Statements.InsertHistory, transfer.TellerId, transfer.BranchId, transfer.AccountId, transfer.Delta);
        await transaction.CommitAsync();
    }

    public async Task HoldAsync(int firstId, int secondId, Func<Task> work)
    {
        await using var connection = await source.OpenConnectionAsync();
        await ReadItemAsync(connection, firstId);
        await work();
        await ReadItemAsync(connection, secondId);
    }

    private static async Task ReadItemAsync(DbConnection connection, int id)
    {
        await using var command = CreateCommand(connection, Statements.ReadItem, id);
        await using var reader = await command.ExecuteReaderAsync();
        var isRead = await reader.ReadAsync() && reader.GetInt32(0) == id && reader.GetString(1).Length > 0 && reader.GetInt32(2) >= 0;
        WrongResultException.ThrowUnless(isRead && !await reader.ReadAsync());
    }

    private static async Task ExecuteAsync(DbConnection connection, string sql, params int[] values)
    {
        await using var command = CreateCommand(connection, sql, values);
        WrongResultException.ThrowUnless(await command.ExecuteNonQueryAsync() == 1);
    }

    private static DbCommand CreateCommand(DbConnection connection, string sql, params ReadOnlySpan<int> values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = value });
        }

        return command;
    }
}
