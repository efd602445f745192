using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EfPooling.AdoNet.Tests;

/// <summary>Keeps everything that a pool and Npgsql log, at every level.</summary>
internal sealed class CapturedLog : ILoggerFactory, ILogger
{
    private static readonly string[] CatalogPreparation = ["SET LOCAL search_path = pg_catalog", "SET LOCAL lock_timeout = '500ms'", "SET LOCAL statement_timeout = '4s'"];

    private readonly ConcurrentQueue<(EventId Id, string Text)> _entries = new();

    public IEnumerable<string> Texts => _entries.Select(entry => entry.Text);

    /// <summary>The texts of the SQL commands that Npgsql has completed, those that the pool sends by itself included, without those about the catalog.</summary>
    public IEnumerable<string> Commands
        => _entries.Where(entry => entry.Id.Name is "CommandExecutionCompleted" or "CommandExecutionCompletedWithParameters" or "BatchExecutionCompleted" or "BatchExecutionCompletedWithParameters")
            .Select(entry => entry.Text)
            .Where(text => !text.Contains("FROM pg_catalog.pg_proc", StringComparison.Ordinal) && !CatalogPreparation.Any(text.Contains));

    /// <summary>Whether the command asks what a reset has left, which travelled ahead of it.</summary>
    public static bool IsReset(string command) => command.Contains("FROM pg_catalog.pg_prepared_statements", StringComparison.Ordinal);

    public int Count(int eventId) => _entries.Count(entry => entry.Id.Id == eventId);

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _entries.Enqueue((eventId, $"{formatter(state, exception)} {exception}"));

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
