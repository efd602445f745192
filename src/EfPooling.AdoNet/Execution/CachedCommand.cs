using System.Data;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The Npgsql command of the last statement of a transaction, for the next one: with its lists, it is a good part of what a short statement allocates.
/// It never leaves the transaction, as Npgsql's own never leaves the connection. Thread-safe.
/// </summary>
internal struct CachedCommand
{
    private const int MostParameters = 32; // A list that has been longer stays so.

    private NpgsqlCommand? _command; // Interlocked only

    /// <returns>A command like new; null if there is none.</returns>
    public NpgsqlCommand? Take() => Interlocked.Exchange(ref _command, null);

    /// <summary>For a command that has run without an error, whose reader is closed and that nobody uses any more.</summary>
    /// <returns>Whether it is taken, and nothing is left in it.</returns>
    public bool TryGive(NpgsqlCommand command)
    {
        if (Volatile.Read(ref _command) is not null || command.CommandType != CommandType.Text || command.UpdatedRowSource != UpdateRowSource.Both || command.Parameters.Count > MostParameters)
        {
            return false;
        }

        command.Parameters.Clear();
        command.CommandText = "";
        command.Connection = null;
        Interlocked.CompareExchange(ref _command, command, null);
        return true;
    }
}
