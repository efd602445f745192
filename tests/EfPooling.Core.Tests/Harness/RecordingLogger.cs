using Microsoft.Extensions.Logging;

namespace EfPooling.Core.Tests.Harness;

internal sealed class RecordingLogger : ILogger
{
    private readonly Lock _lock = new();
    private readonly List<(LogLevel Level, EventId Id, string Text)> _entries = [];

    /// <summary>Runs after an entry was recorded; may throw, as loggers may.</summary>
    public Action<EventId>? OnLog { get; set; }

    public Action? OnIsEnabled { get; set; }

    public IReadOnlyList<(LogLevel Level, EventId Id, string Text)> Entries
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel)
    {
        OnIsEnabled?.Invoke();
        return true;
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lock)
        {
            _entries.Add((logLevel, eventId, formatter(state, exception)));
        }

        OnLog?.Invoke(eventId);
    }
}
