using System.Collections.Concurrent;

namespace EfPooling.Core.Tests.Harness;

/// <summary>Opens at once unless told otherwise; records everything; every answer can be set.</summary>
internal sealed class FakeConnector : IServerConnector<FakeConnection>
{
    private readonly Lock _lock = new();
    private readonly List<FakeConnection> _opened = [];
    private readonly List<FakeConnection> _closed = [];
    private readonly List<PendingOpen> _pending = [];
    private readonly List<FakeConnection> _checked = [];
    private int _attempts;

    /// <summary>Opens wait in <see cref="Pending"/> for the test.</summary>
    public bool HoldOpens { get; set; }

    /// <summary>Opens fail with this.</summary>
    public Exception? OpenError { get; set; }

    /// <summary>Runs inside each open, check and close.</summary>
    public Action? OnOpen { get; set; }

    public Action<FakeConnection>? OnCheck { get; set; }

    public Action<FakeConnection>? OnClose { get; set; }

    public int Attempts => Volatile.Read(ref _attempts);

    public IReadOnlyList<FakeConnection> Opened => Copy(_opened);

    public IReadOnlyList<FakeConnection> Closed => Copy(_closed);

    public IReadOnlyList<FakeConnection> Checked => Copy(_checked);

    public IReadOnlyList<PendingOpen> Pending => Copy(_pending);

    public int OpenNow
    {
        get
        {
            lock (_lock)
            {
                return _opened.Count - _closed.Count;
            }
        }
    }

    public FakeConnection Create()
    {
        lock (_lock)
        {
            var connection = new FakeConnection(_opened.Count + 1);
            _opened.Add(connection);
            return connection;
        }
    }

    public void Forget(PendingOpen open)
    {
        lock (_lock)
        {
            _pending.Remove(open);
        }
    }

    public Task<FakeConnection> OpenAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _attempts);
        OnOpen?.Invoke();
        if (OpenError is { } error)
        {
            return Task.FromException<FakeConnection>(error);
        }

        if (!HoldOpens)
        {
            return Task.FromResult(Create());
        }

        var open = new PendingOpen(this, cancellationToken);
        lock (_lock)
        {
            _pending.Add(open);
        }

        return open.Task;
    }

    /// <summary>A check of this connection gets no answer, until the test gives it.</summary>
    public ConcurrentDictionary<FakeConnection, TaskCompletionSource<bool>> Silent { get; } = new();

    public Task<bool> IsAliveAsync(FakeConnection connection)
    {
        lock (_lock)
        {
            _checked.Add(connection);
        }

        OnCheck?.Invoke(connection);
        return Silent.TryGetValue(connection, out var answer) ? answer.Task : Task.FromResult(connection.IsAlive);
    }

    public Task<bool> IsAliveOnThreadAsync(FakeConnection connection) => IsAliveAsync(connection);

    /// <summary>Closing does not end, until the test ends it.</summary>
    public TaskCompletionSource? HeldClose { get; set; }

    public Task CloseAsync(FakeConnection connection)
    {
        lock (_lock)
        {
            _closed.Add(connection);
        }

        connection.Close();
        OnClose?.Invoke(connection);
        return HeldClose?.Task ?? Task.CompletedTask;
    }

    private List<TItem> Copy<TItem>(List<TItem> list)
    {
        lock (_lock)
        {
            return [.. list];
        }
    }
}
