using Npgsql;

namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Asks a server for its catalog, on a connection that is idle and not in a transaction. Names in the questions mean objects of
/// pg_catalog, so no user's object takes part in the answer.
/// </summary>
/// <remarks>
/// One statement at a time: after the first statement of a batch, Npgsql needs the thread pool even for synchronous callers.
/// </remarks>
/// <param name="timeoutSeconds">For each round trip.</param>
internal sealed class CatalogSource(int timeoutSeconds)
{
    // Ends with the transaction. The server stops waiting by itself: a time-out of Npgsql's would cost the connection.
    private static readonly string[] Preparation = ["SET LOCAL search_path = pg_catalog", "SET LOCAL lock_timeout = '500ms'", "SET LOCAL statement_timeout = '4s'"];

    /// <param name="connection">A connection to the database.</param>
    /// <param name="trusted">The objects that the user vouches for.</param>
    public SqlCatalog Load(NpgsqlConnection connection, TrustedObjects trusted)
    {
        var builder = new CatalogBuilder(trusted);
        using var transaction = connection.BeginTransaction(); // Travels with the next command.
        foreach (var text in Preparation)
        {
            using var preparation = Create(text, connection);
            preparation.ExecuteNonQuery();
        }

        using (var question = Create(CatalogQuery.Objects(connection.PostgreSqlVersion), connection))
        using (var reader = question.ExecuteReader())
        {
            while (reader.Read())
            {
                builder.Add(CatalogRow.Read(reader));
            }
        }

        transaction.Commit();
        return builder.Build();
    }

    /// <inheritdoc cref="Load"/>
    public async Task<SqlCatalog> LoadAsync(NpgsqlConnection connection, TrustedObjects trusted, CancellationToken cancellationToken)
    {
        var builder = new CatalogBuilder(trusted);
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            foreach (var text in Preparation)
            {
                var preparation = Create(text, connection);
                await using (preparation.ConfigureAwait(false))
                {
                    await preparation.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            var question = Create(CatalogQuery.Objects(connection.PostgreSqlVersion), connection);
            await using (question.ConfigureAwait(false))
            {
                var reader = await question.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    {
                        builder.Add(CatalogRow.Read(reader));
                    }
                }
            }

            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }

        return builder.Build();
    }

    /// <summary>See <see cref="SqlCatalog.Version"/>.</summary>
    public long ReadVersion(NpgsqlConnection connection)
    {
        using var question = Create(CatalogQuery.Version, connection);
        return (long)question.ExecuteScalar()!;
    }

    /// <inheritdoc cref="ReadVersion"/>
    public async Task<long> ReadVersionAsync(NpgsqlConnection connection)
    {
        var question = Create(CatalogQuery.Version, connection);
        await using (question.ConfigureAwait(false))
        {
            return (long)(await question.ExecuteScalarAsync().ConfigureAwait(false))!;
        }
    }

    private NpgsqlCommand Create(string text, NpgsqlConnection connection)
    {
        var command = OwnCommand.Create(text, connection);
        command.CommandTimeout = timeoutSeconds;
        return command;
    }
}
