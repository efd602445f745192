using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Holds statements up on the server until it is opened: they contain <see cref="Wait"/>.</summary>
public sealed class Gate(NpgsqlConnection holder) : IAsyncDisposable
{
    /// <summary>A function call, for the SELECT list or FROM. Leaves nothing in the session.</summary>
    public const string Wait = "pg_advisory_xact_lock(42)";

    public static async Task<Gate> CloseAsync(NpgsqlConnection holder)
    {
        await holder.RunAsync("SELECT pg_advisory_lock(42)");
        return new Gate(holder);
    }

    public Task OpenAsync() => holder.RunAsync("SELECT pg_advisory_unlock(42)");

    public ValueTask DisposeAsync() => holder.DisposeAsync();
}
