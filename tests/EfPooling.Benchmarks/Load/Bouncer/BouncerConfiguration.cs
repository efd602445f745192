using System.Globalization;
using System.Text;
using Npgsql;

namespace EfPooling.Benchmarks.Load.Bouncer;

/// <summary>The files that PgBouncer is started with.</summary>
internal sealed class BouncerConfiguration
{
    public const string UsersFile = "users.txt";

    /// <summary>Most clients at a time: enough for the 10,000 of <c>idle</c>.</summary>
    private const int MaxClients = 12_000;

    /// <summary>
    /// How long PgBouncer keeps a server connection that is not used: so short that what one scenario opened is gone when the next one counts. While
    /// a slice runs, it makes no difference.
    /// </summary>
    private const int IdleSeconds = 1;

    private BouncerConfiguration(string settings, string users)
    {
        Settings = settings;
        Users = users;
    }

    /// <summary>The text of <c>pgbouncer.ini</c>.</summary>
    public string Settings { get; }

    /// <summary>The text of <see cref="UsersFile"/>.</summary>
    public string Users { get; }

    /// <summary>Name of the database that has this many server connections. All of them are the same database of the server.</summary>
    public static string DatabaseFor(int serverConnections) => string.Create(CultureInfo.InvariantCulture, $"bench_{serverConnections}");

    /// <param name="server">The server behind PgBouncer.</param>
    /// <param name="secret">
    /// The password as the server keeps it. With a SCRAM secret PgBouncer need not derive one for each client, which takes it longer than all else of a login,
    /// and logs in to the server with what the first client proved. Null: the password is used.
    /// </param>
    /// <param name="port">To listen on, on 127.0.0.1.</param>
    /// <param name="poolSizes">Numbers of server connections that scenarios ask for.</param>
    /// <param name="version">Of PgBouncer; settings that it does not know keep it from starting.</param>
    public static BouncerConfiguration Create(NpgsqlConnectionStringBuilder server, string? secret, int port, IEnumerable<int> poolSizes, BouncerVersion version)
    {
        var text = new StringBuilder("[databases]\n");
        foreach (var size in poolSizes)
        {
            text.Append(CultureInfo.InvariantCulture, $"{DatabaseFor(size)} = host={server.Host} port={server.Port} dbname={server.Database} pool_size={size}\n");
        }

        text.Append(
            CultureInfo.InvariantCulture,
            $"""

            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = {UsersFile}
            pool_mode = transaction
            max_client_conn = {MaxClients}
            listen_backlog = 4096
            query_wait_timeout = 0
            server_idle_timeout = {IdleSeconds}
            server_lifetime = 3600
            ignore_startup_parameters = extra_float_digits,options
            logfile = pgbouncer.log
            log_connections = 0
            log_disconnections = 0
            log_stats = 0

            """);
        if (version.CanPrepare)
        {
            text.Append(CultureInfo.InvariantCulture, $"max_prepared_statements = {Peers.Endpoints.MaxAutoPrepare}\n");
        }

        return new BouncerConfiguration(text.ToString(), $"{Quote(server.Username)} {Quote(secret ?? server.Password)}\n");
    }

    private static string Quote(string? value) => $"\"{(value ?? "").Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
