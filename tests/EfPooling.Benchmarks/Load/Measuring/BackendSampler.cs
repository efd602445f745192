using Npgsql;

namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>Counts the server's backends of a peer again and again while it is measured, on a connection of its own.</summary>
internal sealed class BackendSampler : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection; // one sampling at a time

    private BackendSampler(NpgsqlConnection connection) => _connection = connection;

    /// <param name="connectionString">Of the server itself, without anything in between.</param>
    public static async Task<BackendSampler> OpenAsync(string connectionString)
    {
        var keywords = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, ApplicationName = "sampler" };
        var connection = new NpgsqlConnection(keywords.ConnectionString);
        await connection.OpenAsync();
        return new BackendSampler(connection);
    }

    /// <summary>Begins to count. End or dispose what is returned before beginning again.</summary>
    public Sampling Begin(string applicationName) => new(this, applicationName);

    /// <summary>Process ids of the backends that the peer has now. PgBouncer passes on the name of the client that it served last.</summary>
    public async Task<IReadOnlyList<int>> ReadBackendsAsync(string applicationName)
    {
        await using var command = new NpgsqlCommand(
            "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND backend_type = 'client backend'", _connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = applicationName });
        await using var reader = await command.ExecuteReaderAsync();
        var ids = new List<int>();
        while (await reader.ReadAsync())
        {
            ids.Add(reader.GetInt32(0));
        }

        return ids;
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
