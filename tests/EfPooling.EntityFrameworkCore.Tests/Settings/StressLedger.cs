using System.Collections.Concurrent;
using EfPooling.AdoNet;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>What the callers of the stress have done, to be compared with the database afterwards. Thread-safe.</summary>
internal sealed class StressLedger
{
    private readonly ConcurrentQueue<StressWrite> _writes = new();
    private readonly ConcurrentQueue<string> _mistakes = new();
    private readonly ConcurrentDictionary<string, int> _failures = new();
    private long _rows; // Interlocked only
    private int _broken; // Interlocked only

    /// <summary>What must not happen, the first of it.</summary>
    public IReadOnlyList<string> Mistakes => [.. _mistakes.Take(20)];

    public IReadOnlyCollection<StressWrite> Writes => _writes;

    public long RowsRead => Interlocked.Read(ref _rows);

    /// <summary>Operations whose server connection broke.</summary>
    public int Broken => _broken;

    public string Failures => string.Join(", ", _failures.OrderByDescending(each => each.Value).Select(each => $"{each.Value} {each.Key}"));

    public void Add(StressWrite write) => _writes.Enqueue(write);

    public void Mistake(string what) => _mistakes.Enqueue(what);

    public void SawRow() => Interlocked.Increment(ref _rows);

    /// <summary>Notes how an operation failed; what no caller asked for and no kill explains is a mistake.</summary>
    /// <param name="error">What was thrown.</param>
    /// <param name="who">Caller and operation.</param>
    /// <param name="wasCancelled">A cancellation had been asked for.</param>
    /// <returns>Whether the server has certainly not committed anything.</returns>
    public bool Failed(Exception error, string who, bool wasCancelled)
    {
        var kind = KindOf(error, wasCancelled);
        _failures.AddOrUpdate(kind ?? error.GetType().Name, 1, static (_, count) => count + 1);
        if (kind is null)
        {
            Mistake($"{who}: {error}");
        }
        else if (kind == "broken")
        {
            Interlocked.Increment(ref _broken);
        }

        return kind is not ("broken" or "cancelled");
    }

    private static string? KindOf(Exception error, bool wasCancelled)
    {
        for (var each = error; each is not null; each = each.InnerException)
        {
            switch (each)
            {
                case IntendedException:
                    return "intended";
                case OperationCanceledException when wasCancelled:
                case PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } when wasCancelled:
                    return "cancelled";
                case PostgresException { SqlState: PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DivisionByZero }:
                case PostgresException { SqlState: PostgresErrorCodes.SerializationFailure }: // Scopes are serializable, and even a COMMIT may find that they cannot be.
                    return "refused by the server";
                case TransactionBrokenException or CommitOutcomeUnknownException:
                case PostgresException { SqlState: PostgresErrorCodes.AdminShutdown }:
                case NpgsqlException { InnerException: IOException or System.Net.Sockets.SocketException }:
                    return "broken";
            }
        }

        return null;
    }
}
