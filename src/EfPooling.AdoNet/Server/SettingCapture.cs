using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Reads back the settings that SQL has changed, so that they can follow the logical connection. The server is asked after the
/// end of the transaction, because it knows best what a rollback, an error or an expression has left.
/// </summary>
/// <param name="owner">The settings of the connection that ran the SQL.</param>
/// <param name="opening">The use of the connection in which it ran. After its close, no more settings follow it.</param>
/// <param name="names">Lower case.</param>
internal sealed class SettingCapture(ConnectionSettings owner, IOpening opening, IReadOnlyCollection<string> names)
{
    // current_setting also knows custom settings and role, which pg_settings leaves out.
    private const string Sql =
        """
        SELECT wanted.name, pg_catalog.current_setting(wanted.name, true), known.source
        FROM pg_catalog.unnest($1) AS wanted (name) LEFT JOIN pg_catalog.pg_settings AS known ON pg_catalog.lower(known.name COLLATE pg_catalog."C") = wanted.name
        """;

    public bool IsFor(IOpening other) => ReferenceEquals(opening, other);

    public SettingCapture And(IEnumerable<string> further) => new(owner, opening, [.. names.Union(further)]);

    /// <summary>A round trip, after which the settings follow their connection.</summary>
    /// <param name="connection">The session.</param>
    /// <param name="server">What is known of its settings.</param>
    /// <param name="isInTransaction">Whether a transaction is open, whose end might undo them.</param>
    /// <param name="timeoutSeconds">For the answer.</param>
    public void Read(NpgsqlConnection connection, ServerSettings server, bool isInTransaction, int timeoutSeconds)
    {
        using var command = CreateCommand(connection, timeoutSeconds);
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            Take(rows, server, connection.UserName, isInTransaction);
        }
    }

    /// <inheritdoc cref="Read"/>
    public async Task ReadAsync(NpgsqlConnection connection, ServerSettings server, bool isInTransaction, int timeoutSeconds)
    {
        var command = CreateCommand(connection, timeoutSeconds);
        await using (command.ConfigureAwait(false))
        {
            var rows = await command.ExecuteReaderAsync().ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
            {
                while (await rows.ReadAsync().ConfigureAwait(false))
                {
                    Take(rows, server, connection.UserName, isInTransaction);
                }
            }
        }
    }

    public void Fail()
    {
        foreach (var name in names)
        {
            owner.Lose(name, opening);
        }
    }

    private NpgsqlCommand CreateCommand(NpgsqlConnection connection, int timeoutSeconds)
    {
        var command = OwnCommand.Create(Sql, connection);
        command.CommandTimeout = timeoutSeconds;
        command.Parameters.Add(new NpgsqlParameter { Value = names.ToArray() });
        return command;
    }

    private void Take(DbDataReader row, ServerSettings server, string? loginRole, bool isInTransaction)
    {
        var name = row.GetString(0);
        var value = row.IsDBNull(1) ? "" : row.GetString(1);
        var isDefault = row.IsDBNull(2)
            ? value.Length == 0 || (name == "role" && value == "none") || (name == "session_authorization" && value == loginRole)
            : row.GetString(2) != "session";
        server.Learn(name, isDefault ? null : value, isInTransaction);
        owner.Follow(name, isDefault ? null : value, opening);
    }
}
