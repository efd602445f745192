using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The host of one server connection, and the last known state of that server. Used by the holder of the lease, except where a
/// member says otherwise.
/// </summary>
/// <param name="rules">The rules of the pool.</param>
/// <param name="index">The index among the hosts of the connection string; negative if it names no such host.</param>
internal sealed class HostPlace(HostRules rules, int index)
{
    // reset_val, because the value that the session has set for itself says nothing about the server.
    private const string Question =
        "SELECT pg_catalog.pg_is_in_recovery(), reset_val <> 'off' FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'default_transaction_read_only'";

    public int Index { get; } = index;

    /// <summary><c>null</c> before the server was asked for the first time. Guarded by the rules' gate.</summary>
    public HostFit? Fit { get; set; }

    /// <summary>The number of doubts when the server was asked.</summary>
    public int Doubts { get; set; }

    /// <summary>When the server was asked.</summary>
    public long CheckedAt { get; set; }

    /// <summary>Whether the connection may be handed out only after a check that it may stay on its host.</summary>
    public bool IsDue => rules.WantsCheck(this);

    /// <summary>Whether the connection must be closed, so that Npgsql can choose a host again.</summary>
    public bool IsLeft { get; private set; }

    /// <summary>A statement failed because its transaction was read-only.</summary>
    public void OnReadOnly() => rules.OnReadOnly();

    /// <summary>The connection is closed.</summary>
    public void Leave() => rules.Leave(this);

    /// <summary>Asks the server for its state, once the connection was opened.</summary>
    public void Arrive(NpgsqlConnection connection, int timeoutSeconds)
    {
        rules.BeginCheck(this);
        using var question = new NpgsqlCommand(Question, connection) { CommandTimeout = timeoutSeconds };
        using var reader = question.ExecuteReader();
        reader.Read();
        rules.Learn(this, reader.GetBoolean(0), reader.GetBoolean(1));
    }

    /// <summary>Asks the server for its state.</summary>
    /// <returns>Whether the connection stays.</returns>
    public bool Check(NpgsqlConnection connection, int timeoutSeconds)
    {
        Arrive(connection, timeoutSeconds);
        return Decide();
    }

    /// <inheritdoc cref="Check"/>
    public async Task<bool> CheckAsync(NpgsqlConnection connection, int timeoutSeconds)
    {
        rules.BeginCheck(this);
        var question = new NpgsqlCommand(Question, connection) { CommandTimeout = timeoutSeconds };
        await using (question.ConfigureAwait(false))
        {
            var reader = await question.ExecuteReaderAsync().ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.ReadAsync().ConfigureAwait(false);
                rules.Learn(this, reader.GetBoolean(0), reader.GetBoolean(1));
            }
        }

        return Decide();
    }

    private bool Decide() => !(IsLeft = rules.WantsAway(this));
}
