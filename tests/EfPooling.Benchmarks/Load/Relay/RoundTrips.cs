using System.Diagnostics;
using EfPooling.Benchmarks.Load.Measuring;
using Npgsql;

namespace EfPooling.Benchmarks.Load.Relay;

/// <summary>Measures what a relay really adds.</summary>
internal static class RoundTrips
{
    private const int Attempts = 300;

    /// <summary>How long <c>SELECT 1</c> takes one caller on one open connection, while nothing else runs.</summary>
    public static async Task<LatencyHistogram> MeasureAsync(string connectionString)
    {
        var keywords = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(keywords.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        await command.PrepareAsync();
        var latencies = new LatencyHistogram();
        for (var i = -Attempts / 10; i < Attempts; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await command.ExecuteScalarAsync();
            if (i >= 0)
            {
                latencies.Record(Stopwatch.GetElapsedTime(start));
            }
        }

        return latencies;
    }
}
