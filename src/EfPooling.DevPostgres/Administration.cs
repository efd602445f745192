using System.Collections.Concurrent;
using System.Net;
using Npgsql;

namespace EfPooling.Dev;

/// <summary>What is done to a server through SQL. Every call uses a connection of its own and keeps none open.</summary>
internal sealed class Administration
{
    private const string ApplicationName = "efpooling-dev-administration";

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    private readonly string _connectionString;
    private readonly TimeProvider _timeProvider;
    private readonly ConcurrentQueue<string> _created = new();

    public Administration(string connectionString, TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        _connectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = ApplicationName,
            Enlist = false, // ambient transactions are none of our business
            Pooling = false,
        }.ConnectionString;
    }

    public async Task<Version> ReadVersionAsync(CancellationToken cancellationToken)
    {
        using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        return connection.PostgreSqlVersion;
    }

    public async Task CreateDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, $"CREATE DATABASE {Quote(name)}", cancellationToken).ConfigureAwait(false);
        _created.Enqueue(name);
    }

    public async Task DropCreatedDatabasesAsync()
    {
        if (_created.IsEmpty)
        {
            return;
        }

        using var connection = await OpenAsync(CancellationToken.None).ConfigureAwait(false);
        while (_created.TryDequeue(out var name))
        {
            var force = connection.PostgreSqlVersion.Major >= 13 ? " WITH (FORCE)" : "";
            await ExecuteAsync(connection, $"DROP DATABASE IF EXISTS {Quote(name)}{force}", CancellationToken.None)
                .ConfigureAwait(false);
        }
    }

    public async Task<IReadOnlyList<BackendActivity>> QueryActivityAsync(CancellationToken cancellationToken)
    {
        using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        return await ReadActivityAsync(connection, cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<BackendActivity>> WaitForActivityAsync(
        Func<IReadOnlyList<BackendActivity>, bool> condition, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        var start = _timeProvider.GetTimestamp();
        while (true)
        {
            var backends = await ReadActivityAsync(connection, cancellationToken).ConfigureAwait(false);
            if (condition(backends))
            {
                return backends;
            }

            if (_timeProvider.GetElapsedTime(start) >= timeout)
            {
                throw new TimeoutException(
                    $"The client backends did not come to meet the condition within {timeout}. There are "
                    + $"{backends.Count}:\n{string.Join('\n', backends)}");
            }

            await Task.Delay(PollInterval, _timeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<bool> TerminateBackendAsync(int processId, int majorVersion, CancellationToken cancellationToken)
    {
        using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        using var command = connection.CreateCommand();
        command.CommandText = majorVersion >= 14 ? "SELECT pg_terminate_backend($1, 10000)" : "SELECT pg_terminate_backend($1)";
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = processId });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    private static async Task<IReadOnlyList<BackendActivity>> ReadActivityAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            SELECT pid, datname, usename, coalesce(application_name, ''), state, coalesce(query, ''), backend_start,
                   backend_type, client_addr
            FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND application_name IS DISTINCT FROM $1
            ORDER BY pid
            """;
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = ApplicationName });
        using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var backends = new List<BackendActivity>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            string? Text(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);
            backends.Add(new BackendActivity(
                reader.GetInt32(0), Text(1), Text(2), reader.GetString(3), Text(4), reader.GetString(5),
                reader.GetFieldValue<DateTimeOffset>(6), reader.GetString(7),
                reader.IsDBNull(8) ? null : reader.GetFieldValue<IPAddress>(8)));
        }

        return backends;
    }

    private static string Quote(string identifier) =>
        $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        using var command = connection.CreateCommand();
        // The only varying part is an identifier, which cannot be a parameter and went through Quote.
#pragma warning disable CA2100
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
