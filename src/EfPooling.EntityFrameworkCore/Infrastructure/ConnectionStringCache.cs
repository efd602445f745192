using System.Collections.Concurrent;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// The meaning of connection strings, remembered per string. Parsing one takes longer than the rest of finding a pool, and
/// every new context finds its pool. Thread-safe.
/// </summary>
internal static class ConnectionStringCache
{
    private const int Limit = 10_000;

    private static readonly ConcurrentDictionary<string, ParsedConnectionString> Cache = new();

    /// <exception cref="ArgumentException">The string has a keyword or value that Npgsql does not know.</exception>
    public static ParsedConnectionString Get(string connectionString)
    {
        if (Cache.TryGetValue(connectionString, out var known))
        {
            return known;
        }

        if (Cache.Count >= Limit)
        {
            Cache.Clear(); // Perhaps passwords change all the time.
        }

        return Cache[connectionString] = new ParsedConnectionString(new NpgsqlConnectionStringBuilder(connectionString));
    }
}
