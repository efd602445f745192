using EfPooling.Dev.Sources;
using Npgsql;

namespace EfPooling.Dev;

/// <summary>Starts throw-away PostgreSQL servers for samples, tests and benchmarks.</summary>
public static class DevPostgres
{
    /// <summary>
    /// Gives a PostgreSQL server that answers, from the first of these ways that works here: the connection string in
    /// <c>EFPOOLING_POSTGRES</c>; the server binaries on this machine; Docker; the npm package of the binaries.
    /// </summary>
    /// <remarks>
    /// The caller disposes the server. If the process ends without doing so, even by SIGKILL, the server ends and its
    /// files are removed (Unix; docs/dev-postgres.md has the limits on Windows).
    /// </remarks>
    /// <exception cref="NoServerFoundException">No way works here. The message says why, for each of the four.</exception>
    /// <exception cref="ServerStartException">A server was found but does not start. The message ends with its log.</exception>
    public static Task<DevPostgresServer> StartAsync(
        DevPostgresOptions? options = null, CancellationToken cancellationToken = default) =>
        StartAsync(options ?? new DevPostgresOptions(), ServerSources.Default(), cancellationToken);

    internal static async Task<DevPostgresServer> StartAsync(
        DevPostgresOptions options, IReadOnlyList<IServerSource> sources, CancellationToken cancellationToken)
    {
        var refusals = new List<string>();
        foreach (var source in sources)
        {
            var answer = await source.TryStartAsync(options, cancellationToken).ConfigureAwait(false);
            if (answer.Server is { } server)
            {
                return await OpenAsync(server, options, cancellationToken).ConfigureAwait(false);
            }

            refusals.Add($"{source.Name}: {answer.WhyNot}");
        }

        throw new NoServerFoundException(options.MajorVersion, refusals);
    }

    private static async Task<DevPostgresServer> OpenAsync(
        IServerControl control, DevPostgresOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(control.ConnectionString);
            var administration = new Administration(builder.ConnectionString, options.TimeProvider);
            var version = await administration.ReadVersionAsync(cancellationToken).ConfigureAwait(false);
            if (options.DatabaseName is { } database && database != builder.Database)
            {
                await administration.CreateDatabaseAsync(database, cancellationToken).ConfigureAwait(false);
                builder.Database = database;
            }

            return new DevPostgresServer(control, administration, builder, version.Major);
        }
        catch
        {
            await control.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
