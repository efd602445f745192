using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The user's physical connection initializer. It is part of a fresh session, so it runs again after each reset. Thread-safe.
/// </summary>
internal sealed class SessionInitializer
{
    private readonly Action<NpgsqlConnection> _run;
    private readonly Func<NpgsqlConnection, Task> _runAsync;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, bool> _changed = new(StringComparer.Ordinal); // names of settings

    private SessionInitializer(Action<NpgsqlConnection> run, Func<NpgsqlConnection, Task> runAsync, ILogger logger) => (_run, _runAsync, _logger) = (run, runAsync, logger);

    /// <summary>The initializer of a data source; <c>null</c> if it has none.</summary>
    public static SessionInitializer? For(NpgsqlDataSource source, ILogger logger)
        => NpgsqlInternals.GetInitializer(source) is var (run, runAsync) ? new SessionInitializer(run, runAsync, logger) : null;

    /// <summary>SQL is about to change settings that then follow their logical connection.</summary>
    public void OnChanged(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            _changed.TryAdd(name, true);
        }
    }

    /// <summary>
    /// Whether the initializer may have given one of these settings a value that SQL has replaced. Which settings it sets is
    /// unknown, and the server does not list an application's own settings.
    /// </summary>
    public bool MayHaveSet(IReadOnlyCollection<string> names) => !_changed.IsEmpty && names.Any(_changed.ContainsKey);

    /// <summary>Runs it on a session that has just been reset.</summary>
    /// <exception cref="InvalidOperationException">
    /// The initializer threw, so the session lacks what its owners rely on.
    /// </exception>
    public void Run(NpgsqlConnection connection)
    {
        var lent = NpgsqlInternals.Lend(connection);
        try
        {
            _run(lent);
        }
        catch (Exception e)
        {
            throw Failed(e);
        }
        finally
        {
            NpgsqlInternals.EndLoan(lent, connection);
        }
    }

    /// <inheritdoc cref="Run"/>
    public async Task RunAsync(NpgsqlConnection connection)
    {
        var lent = NpgsqlInternals.Lend(connection);
        try
        {
            await _runAsync(lent).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            throw Failed(e);
        }
        finally
        {
            NpgsqlInternals.EndLoan(lent, connection);
        }
    }

    private InvalidOperationException Failed(Exception error)
    {
        Log.InitializerFailed(_logger, error);
        return new InvalidOperationException("The physical connection initializer failed on a session that was reset.", error);
    }
}
