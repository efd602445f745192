using System.Data.Common;

namespace EfPooling.AdoNet.Tests;

/// <summary>Many callers at once on a pool of few server connections.</summary>
internal static class Crowd
{
    /// <summary>Holds all server connections of the pool until every caller waits for one.</summary>
    /// <param name="pool">Its size is the number of server connections to hold.</param>
    /// <param name="callers">How many, counted from 1.</param>
    /// <param name="call">Goes as far as its wait without giving way.</param>
    /// <param name="whileTheyWait">Before the first server connection comes free.</param>
    public static async Task<T[]> GatherAsync<T>(
        this TransactionPoolingDataSource pool, int callers, Func<LogicalConnection, int, Task<T>> call, Func<Task>? whileTheyWait = null)
    {
        var connections = new List<LogicalConnection>();
        var held = new List<DbDataReader>();
        while (held.Count < pool.GetSnapshot().MaxPoolSize)
        {
            connections.Add(await pool.OpenConnectionAsync());
            held.Add(await connections[^1].ReadAsync("SELECT 1"));
        }

        var calls = Enumerable.Range(1, callers).Select(async i =>
        {
            await using var connection = await pool.OpenConnectionAsync();
            return await call(connection, i);
        }).ToArray();
        if (whileTheyWait is not null)
        {
            await whileTheyWait();
        }

        foreach (var reader in held)
        {
            await reader.DisposeAsync();
        }

        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        return await Task.WhenAll(calls);
    }

    /// <summary>A read batch may end a moment after its last batched read, if others have left it before.</summary>
    public static async Task WaitUntilUnusedAsync(this TransactionPoolingDataSource pool)
    {
        while (pool.GetSnapshot() is { InUse: > 0 } or { Waiting: > 0 })
        {
            await Task.Yield();
        }
    }
}
