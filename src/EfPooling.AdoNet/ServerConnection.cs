using System.Data;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>One PostgreSQL backend process and the open <see cref="NpgsqlConnection"/> that owns it. Used by the holder of its lease only.</summary>
internal sealed class ServerConnection(NpgsqlConnection npgsql)
{
    // What DISCARD ALL does, without the prepared statements: Npgsql keeps count of them, and they stay warm.
    private static readonly string[] Reset =
    [
        "SET SESSION AUTHORIZATION DEFAULT", "RESET ALL", "CLOSE ALL", "UNLISTEN *",
        "SELECT pg_advisory_unlock_all()", "DISCARD SEQUENCES", "DISCARD TEMP",
    ];

    private const int MendTimeoutSeconds = 5;

    private int _taint; // Interlocked only: Cancel() comes from any thread

    public NpgsqlConnection Npgsql { get; } = npgsql;

    public Taint Taint => (Taint)Volatile.Read(ref _taint);

    /// <summary>Open and not in the middle of anything. Anything else at the end of a lease means that it is not provably healthy.</summary>
    public bool IsReady => Npgsql.FullState == ConnectionState.Open;

    /// <summary>The connection is gone.</summary>
    public bool IsBroken => (Npgsql.FullState & (ConnectionState.Open | ConnectionState.Broken)) != ConnectionState.Open;

    public void Mark(Taint taint) => Interlocked.Or(ref _taint, (int)taint);

    /// <summary>An error that came from the server leaves the connection in step (Npgsql has read up to the server's ready message); any other one must be checked.</summary>
    public void Observe(Exception error)
    {
        if (error is not PostgresException { SqlState: not PostgresErrorCodes.QueryCanceled })
        {
            Mark(Taint.Suspect);
        }
    }

    public void Execute(string sql)
    {
        using var command = new NpgsqlCommand(sql, Npgsql);
        command.ExecuteNonQuery();
    }

    /// <returns>Whether the next owner may have it.</returns>
    public bool TryMend()
    {
        var taint = Taint;
        if (taint == Taint.None)
        {
            return IsReady;
        }

        if (!IsReady || taint.HasFlag(Taint.Unresettable))
        {
            return false;
        }

        try
        {
            if (taint.HasFlag(Taint.Dirty))
            {
                using var reset = CreateReset(taint);
                reset.ExecuteNonQuery();
            }
            else
            {
                Ping();
            }
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or OperationCanceledException or InvalidOperationException)
        {
            return false; // Retired with a reason, which is logged.
        }

        Volatile.Write(ref _taint, 0);
        return IsReady;
    }

    /// <inheritdoc cref="TryMend"/>
    public async ValueTask<bool> TryMendAsync()
    {
        var taint = Taint;
        if (taint == Taint.None)
        {
            return IsReady;
        }

        if (!IsReady || taint.HasFlag(Taint.Unresettable))
        {
            return false;
        }

        try
        {
            if (taint.HasFlag(Taint.Dirty))
            {
                var reset = CreateReset(taint);
                await using (reset.ConfigureAwait(false))
                {
                    await reset.ExecuteNonQueryAsync().ConfigureAwait(false);
                }
            }
            else
            {
                await PingAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or OperationCanceledException or InvalidOperationException)
        {
            return false; // Retired with a reason, which is logged.
        }

        Volatile.Write(ref _taint, 0);
        return IsReady;
    }

    /// <summary>A round trip. Absorbs a cancel request that arrived too late for the command it was meant for.</summary>
    /// <exception cref="NpgsqlException">The server did not answer as it should.</exception>
    public void Ping()
    {
        using var ping = CreatePing();
        try
        {
            ping.ExecuteNonQuery();
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            ping.ExecuteNonQuery();
        }
    }

    /// <inheritdoc cref="Ping"/>
    public async Task PingAsync()
    {
        var ping = CreatePing();
        await using (ping.ConfigureAwait(false))
        {
            try
            {
                await ping.ExecuteNonQueryAsync().ConfigureAwait(false);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
            {
                await ping.ExecuteNonQueryAsync().ConfigureAwait(false);
            }
        }
    }

    private NpgsqlCommand CreatePing() => new("SELECT 1", Npgsql) { CommandTimeout = MendTimeoutSeconds };

    // One error barrier each: ROLLBACK must end a transaction that SQL text left open before the rest can run.
    private NpgsqlBatch CreateReset(Taint taint)
    {
        var reset = new NpgsqlBatch(Npgsql) { Timeout = MendTimeoutSeconds, EnableErrorBarriers = true };
        if (taint.HasFlag(Taint.OpenTransaction))
        {
            reset.BatchCommands.Add(new NpgsqlBatchCommand("ROLLBACK")); // Without a transaction the server would log a warning.
        }

        foreach (var statement in Reset)
        {
            reset.BatchCommands.Add(new NpgsqlBatchCommand(statement));
        }

        return reset;
    }
}
