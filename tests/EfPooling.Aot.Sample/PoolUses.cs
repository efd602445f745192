using EfPooling.AdoNet;

namespace EfPooling.Aot.Sample;

/// <summary>What an application does with a pool.</summary>
internal sealed class PoolUses(string connectionString) : IAsyncDisposable
{
    private static readonly AsyncLocal<string?> Tenant = new();

    private readonly TransactionPoolingDataSource _pool = TransactionPoolingDataSource.Create(
        connectionString, options => options.SessionSetting("app.tenant_id", _ => Tenant.Value));

    public async Task<string> QueryAsync()
    {
        await using var connection = await _pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT @word || '!', @number + 1, @day", connection);
        command.Parameters.AddWithValue("word", "hello");
        command.Parameters.AddWithValue("number", 41);
        command.Parameters.AddWithValue("day", new DateOnly(2026, 1, 2));
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return $"{reader.GetString(0)} {reader.GetInt32(1)} {reader.GetFieldValue<DateOnly>(2):yyyy-MM-dd}";
    }

    public async Task<string> TransactAsync()
    {
        await using var connection = await _pool.OpenConnectionAsync();
        await RunAsync(connection, "CREATE TABLE item (id int)");
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await RunAsync(connection, "INSERT INTO item VALUES (1)");
            await transaction.RollbackAsync();
        }

        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await RunAsync(connection, "INSERT INTO item VALUES (2)");
            await transaction.CommitAsync();
        }

        await using var command = new LogicalCommand("SELECT string_agg(id::text, ',') FROM item", connection);
        return $"{await command.ExecuteScalarAsync()}";
    }

    public async Task<string> ReadSettingAsync()
    {
        Tenant.Value = "tea-house";
        await using var connection = await _pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT current_setting('app.tenant_id')", connection);
        return $"{await command.ExecuteScalarAsync()}";
    }

    public async Task<string> HearAsync()
    {
        await foreach (var notification in _pool.SubscribeAsync("orders"))
        {
            if (!notification.IsGap)
            {
                return notification.Payload;
            }

            await using var connection = await _pool.OpenConnectionAsync();
            await RunAsync(connection, "NOTIFY orders, 'order 7'");
        }

        throw new InvalidOperationException("A subscription ended by itself.");
    }

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private static async Task RunAsync(LogicalConnection connection, string sql)
    {
#pragma warning disable CA2100 // Constants of this file.
        await using var command = new LogicalCommand(sql, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
