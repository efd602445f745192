using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>Where one server connection is, and what was last seen of that server. Used by the holder of the lease, except where a member says otherwise.</summary>
/// <param name="rules">Of the pool.</param>
/// <param name="index">Among the hosts of the connection string; negative if it names none like it.</param>
internal sealed class HostPlace(HostRules rules, int index)
{
    // What the session has set for itself says nothing about the server.
    private const string Question =
        "SELECT pg_catalog.pg_is_in_recovery(), reset_val <> 'off' FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'default_transaction_read_only'";

    public int Index { get; } = index;

    /// <summary><c>null</c> before the server was asked for the first time. Guarded by the rules' gate.</summary>
    public HostFit? Fit { get; set; }

    /// <summary>How many doubts there were when the server was asked.</summary>
    public int Doubts { get; set; }

    /// <summary>When the server was asked.</summary>
    public long CheckedAt { get; set; }

    /// <summary>Whether it has to be shown that the connection may stay where it is, before anybody gets it.</summary>
    public bool IsDue => rules.WantsCheck(this);

    /// <summary>The connection is to be closed, so that Npgsql can choose a host again.</summary>
    public bool IsLeft { get; private set; }

    /// <summary>A statement failed because its transaction was read-only.</summary>
    public void OnReadOnly() => rules.OnReadOnly();

    /// <summary>The connection is closed.</summary>
    public void Leave() => rules.Leave(this);

    /// <summary>Asks the server how it is, once the connection was opened.</summary>
    public void Arrive(NpgsqlConnection connection, int timeoutSeconds)
    {
        rules.BeginCheck(this);
        using var question = new NpgsqlCommand(Question, connection) { CommandTimeout = timeoutSeconds };
        using var reader = question.ExecuteReader();
        reader.Read();
        rules.Learn(this, reader.GetBoolean(0), reader.GetBoolean(1));
    }

    /// <summary>Asks the server how it is.</summary>
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
