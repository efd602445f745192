using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using EfPooling.AdoNet;
using EfPooling.Dev;
using Npgsql;

namespace EfPooling.Benchmarks.Query;

/// <summary>
/// What one caller's query costs through a pool compared with plain Npgsql that does not reset: the same query on the same server, in
/// short turns one after the other, so that both see the same noise. Prints the ratio of the medians.
/// </summary>
internal static class OverheadVerb
{
    private const int QueriesPerTurn = 100;
    private const int Rows = 1_000;
    private const string Sql = "SELECT id, name FROM item WHERE id = $1";

    public static async Task<int> RunAsync(string[] args)
    {
        var turns = args is ["--turns", var count] ? int.Parse(count, CultureInfo.InvariantCulture) : 600;
        await using var server = await DevPostgres.StartAsync();
        var keywords = new NpgsqlConnectionStringBuilder(server.ConnectionString) { MaxAutoPrepare = 200, NoResetOnClose = true };
        await using var npgsql = NpgsqlDataSource.Create(keywords.ConnectionString);
        await using var pooled = TransactionPoolingDataSource.Create(server.ConnectionString);
        await CreateTableAsync(npgsql);

        Console.WriteLine($"PostgreSQL {server.MajorVersion}, one caller, {turns} turns of {QueriesPerTurn} queries each; microseconds per query, median");
        await CompareAsync("ado-async", pooled, npgsql, turns, QueryAsync);
        var pointRead = await CompareAsync("ado-sync", pooled, npgsql, turns, source =>
        {
            Query(source);
            return Task.CompletedTask;
        });
        var safety = await SafetyPath.MeasureAsync(pooled, Sql);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"SHARE guard, classifier and session tracking: {safety:0} ns of a synchronous point read, {safety / pointRead / 10:0.00} %"));
        return 0;
    }

    /// <returns>Microseconds per query of ours.</returns>
    private static async Task<double> CompareAsync(string api, DbDataSource ours, DbDataSource theirs, int turns, Func<DbDataSource, Task> query)
    {
        var times = new Dictionary<DbDataSource, List<double>> { [ours] = [], [theirs] = [] };
        for (var turn = -turns / 10; turn < turns; turn++)
        {
            foreach (var source in turn % 2 == 0 ? new[] { ours, theirs } : [theirs, ours])
            {
                var start = Stopwatch.GetTimestamp();
                for (var i = 0; i < QueriesPerTurn; i++)
                {
                    await query(source);
                }

                if (turn >= 0)
                {
                    times[source].Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / QueriesPerTurn);
                }
            }
        }

        var (our, their) = (Quantile(times[ours], 0.5), Quantile(times[theirs], 0.5));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{api,-10} EfPooling {our:0.0} ({Quantile(times[ours], 0.1):0.0} at the 10th percentile), Npgsql without reset {their:0.0} ({Quantile(times[theirs], 0.1):0.0})"));
        var paired = times[ours].Zip(times[theirs], (o, t) => o / t).ToList();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"RATIO one-caller/{api} efpooling/npgsql-no-reset {our / their:0.000} (median of the ratios of neighbouring turns {Quantile(paired, 0.5):0.000})"));
        return our;
    }

    private static double Quantile(List<double> values, double quantile) => values.Order().ElementAt((int)(values.Count * quantile));

    private static async Task QueryAsync(DbDataSource source)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var command = CreateCommand(connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            Consume(reader);
        }
    }

    private static void Query(DbDataSource source)
    {
        using var connection = source.OpenConnection();
        using var command = CreateCommand(connection);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            Consume(reader);
        }
    }

    private static DbCommand CreateCommand(DbConnection connection)
    {
        var command = connection.CreateCommand();
        command.CommandText = Sql;
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Random.Shared.Next(Rows) });
        return command;
    }

    private static void Consume(DbDataReader reader)
    {
        _ = reader.GetInt32(0);
        _ = reader.GetString(1);
    }

    private static async Task CreateTableAsync(NpgsqlDataSource source)
    {
        await using var create = source.CreateCommand(
            $"CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL); INSERT INTO item SELECT i, 'item ' || i FROM generate_series(0, {Rows - 1}) i; ANALYZE item");
        await create.ExecuteNonQueryAsync();
    }
}
