using System.Data.Common;
using Dapper;
using EfPooling.Benchmarks.Load.Data;

namespace EfPooling.Benchmarks.Load.Apis;

/// <summary>Dapper, asynchronous.</summary>
internal sealed class DapperApi(DbDataSource source) : IDataApi
{
    private const string ReadItem = "SELECT id AS Id, name AS Name, stock AS Stock FROM item WHERE id = @id";
    private const string ReadPage =
        """
        SELECT id AS Id, page AS Page, title AS Title, note AS Note, price AS Price, weight AS Weight, is_open AS IsOpen, created AS Created
        FROM entry WHERE page = @page ORDER BY id LIMIT @size
        """;
    private const string UpdateItem = "UPDATE item SET stock = stock + 1 WHERE id = @id";
    private const string UpdateAccount = "UPDATE account SET balance = balance + @Delta WHERE id = @AccountId";
    private const string ReadBalance = "SELECT balance FROM account WHERE id = @AccountId";
    private const string UpdateTeller = "UPDATE teller SET balance = balance + @Delta WHERE id = @TellerId";
    private const string UpdateBranch = "UPDATE branch SET balance = balance + @Delta WHERE id = @BranchId";
    private const string InsertHistory =
        "INSERT INTO history_entry (teller_id, branch_id, account_id, delta, time) VALUES (@TellerId, @BranchId, @AccountId, @Delta, now())";

    public Task PrepareAsync() => Task.CompletedTask;

    public async Task ReadItemAsync(int id)
    {
        await using var connection = await source.OpenConnectionAsync();
        await ReadItemAsync(connection, id);
    }

    public async Task ReadPageAsync(int page)
    {
        await using var connection = await source.OpenConnectionAsync();
        var entries = await connection.QueryAsync<Entry>(ReadPage, new { page, size = BenchData.PageSize });
        WrongResultException.ThrowUnless(entries.AsList().Count == BenchData.PageSize);
    }

    public async Task UpdateItemAsync(int id)
    {
        await using var connection = await source.OpenConnectionAsync();
        WrongResultException.ThrowUnless(await connection.ExecuteAsync(UpdateItem, new { id }) == 1);
    }

    public async Task TransferAsync(Transfer transfer)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        object values = transfer;
        await connection.ExecuteAsync(UpdateAccount, values, transaction);
        await connection.ExecuteScalarAsync<int>(ReadBalance, values, transaction);
        await connection.ExecuteAsync(UpdateTeller, values, transaction);
        await connection.ExecuteAsync(UpdateBranch, values, transaction);
        await connection.ExecuteAsync(InsertHistory, values, transaction);
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
        var item = await connection.QuerySingleAsync<Item>(ReadItem, new { id });
        WrongResultException.ThrowUnless(item.Id == id);
    }
}
