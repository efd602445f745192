using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// One server connection that listens. Used by one flow of control, except that its check timer calls from elsewhere. After any
/// exception except a refused LISTEN it is useless.
/// </summary>
internal sealed class ListenerSession : IAsyncDisposable
{
    private static readonly TimeSpan ShortestCheckPeriod = TimeSpan.FromSeconds(1);

    // How soon after a notification the next one is expected, which would end the wait by itself. This concerns packets under
    // way, which no test can delay by stopping the pool's clock, so it uses the system's time.
    private static readonly TimeSpan Lull = TimeSpan.FromMilliseconds(100);

    private readonly ServerConnection _connection;
    private readonly ServerConnector _connector;
    private readonly TimeProvider _time;
    private readonly TimeSpan _limit;
    private readonly Action<ListenerSession, NpgsqlNotificationEventArgs> _deliver;
    private readonly Action _wake;
    private readonly ITimer? _checkTimer;
    private readonly long _opened;
    private CancellationTokenSource _interruption = new(); // used by the one flow only
    private Task _pending = Task.CompletedTask; // used by the one flow only: Npgsql's present operation
    private long? _lastHeard; // used by the one flow only: the time of the last notification, in the system's time
    private long _count; // Volatile only: notifications received
    private long _countAtLastCheck; // used by the timer only
    private volatile bool _isCheckDue; // written by the timer and the one flow

    public ListenerSession(
        ServerConnection connection, ServerConnector connector, PoolOptions options, TimeProvider time, Action<ListenerSession, NpgsqlNotificationEventArgs> deliver, Action wake)
    {
        (_connection, _connector, _time, _limit, _deliver, _wake) = (connection, connector, time, options.ServerConnectTimeout, deliver, wake);
        _opened = time.GetTimestamp();
        connection.Npgsql.Notification += OnNotification;
        if (options.ServerCheckDelay != Timeout.InfiniteTimeSpan)
        {
            var period = options.ServerCheckDelay > ShortestCheckPeriod ? options.ServerCheckDelay : ShortestCheckPeriod;
            _checkTimer = time.CreateTimer(static self => ((ListenerSession)self!).Check(), this, period, period);
        }
    }

    /// <summary>Whether it has listened. Guarded by the gate of the listener.</summary>
    public bool IsEstablished { get; set; }

    public TimeSpan Age => _time.GetElapsedTime(_opened);

    /// <summary>Sends all changes in one round trip. If the server refuses that, sends each by itself.</summary>
    /// <returns>The channels that the server refused, and its errors.</returns>
    public async Task<IReadOnlyList<(string Channel, PostgresException Error)>> ChangeAsync(SubscriptionChanges changes)
    {
        var unlisten = changes.Unlisten.Select(channel => "UNLISTEN " + ChannelName.Quote(channel));
        try
        {
            await RunAsync([.. unlisten, .. changes.Listen.Select(Listen)]).ConfigureAwait(false);
            return [];
        }
        catch (PostgresException) when (_connection.IsReady)
        {
        }

        await RunAsync([.. unlisten]).ConfigureAwait(false);
        var refused = new List<(string, PostgresException)>();
        foreach (var channel in changes.Listen)
        {
            try
            {
                await RunAsync([Listen(channel)]).ConfigureAwait(false);
            }
            catch (PostgresException error) when (_connection.IsReady)
            {
                refused.Add((channel, error));
            }
        }

        return refused;

        static string Listen(string channel) => "LISTEN " + ChannelName.Quote(channel);
    }

    /// <summary>
    /// A round trip if nothing was received for ServerCheckDelay: the only way to detect a break that the network does not
    /// report.
    /// </summary>
    public async Task CheckIfDueAsync()
    {
        if (_isCheckDue)
        {
            _isCheckDue = false;
            await LimitAsync(_connection.PingAsync()).ConfigureAwait(false);
        }
    }

    /// <summary>Receives notifications until <paramref name="wake"/> completes.</summary>
    public async Task WaitAsync(Task wake)
    {
        while (!wake.IsCompleted)
        {
            var waiting = _connection.Npgsql.WaitAsync(_interruption.Token);
            _pending = waiting;
            if (!waiting.IsCompleted)
            {
                await Task.WhenAny(waiting, wake).ConfigureAwait(false);
            }

            if (waiting.IsCompleted)
            {
                await waiting.ConfigureAwait(false);
            }
            else
            {
                await InterruptAsync(waiting).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Closes the connection, without waiting for Npgsql: if Npgsql still uses it, closes it afterwards. Nothing more is
    /// delivered.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        _checkTimer?.Dispose();
        _connection.Npgsql.Notification -= OnNotification;
        _interruption.Dispose();
        if (_pending.IsCompleted)
        {
            return new ValueTask(_connector.CloseAsync(_connection));
        }

        _ = CloseAfterAsync(_pending);
        return ValueTask.CompletedTask;
    }

    // Npgsql ends a read that is cancelled between two messages, and the protocol stays in sync: the next wait or command reads
    // what has arrived. Two things need care:
    // - A cancellation just before the read begins is lost. So it comes only after WaitAsync has returned its task, when the read
    //   is under way.
    // - A cancellation within a message breaks the connection, which costs every subscriber a gap. While notifications keep
    //   coming, the next one ends the wait by itself, so the code waits for a lull. That a message stays incomplete for so long
    //   is left to chance.
    private async Task InterruptAsync(Task waiting)
    {
        if (_lastHeard is { } heard && TimeProvider.System.GetElapsedTime(heard) < Lull)
        {
            using var lull = new CancellationTokenSource();
            await Task.WhenAny(waiting, Task.Delay(Lull, TimeProvider.System, lull.Token)).ConfigureAwait(false);
            await lull.CancelAsync().ConfigureAwait(false);
        }

        await _interruption.CancelAsync().ConfigureAwait(false);
        try
        {
            await LimitAsync(waiting).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_connection.IsBroken)
        {
        }

        _interruption.Dispose();
        _interruption = new CancellationTokenSource();
    }

    private Task RunAsync(IReadOnlyList<string> statements)
        => statements.Count == 0 ? Task.CompletedTask : LimitAsync(ExecuteAsync(statements));

    private async Task ExecuteAsync(IReadOnlyList<string> statements)
    {
        var batch = new NpgsqlBatch(_connection.Npgsql) { Timeout = (int)Math.Ceiling(_limit.TotalSeconds) };
        await using (batch.ConfigureAwait(false))
        {
            foreach (var statement in statements)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(statement));
            }

            await batch.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
    }

    /// <exception cref="TimeoutException">The operation continues without a waiter; the session must be closed.</exception>
    private Task LimitAsync(Task operation)
    {
        _pending = operation;
        return operation.WaitAsync(_limit, _time);
    }

    private async Task CloseAfterAsync(Task pending)
    {
        await pending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _connector.CloseAsync(_connection).ConfigureAwait(false);
    }

    private void OnNotification(object sender, NpgsqlNotificationEventArgs notification)
    {
        _lastHeard = TimeProvider.System.GetTimestamp();
        Volatile.Write(ref _count, _count + 1);
        _deliver(this, notification);
    }

    private void Check()
    {
        var count = Volatile.Read(ref _count);
        if (count != _countAtLastCheck)
        {
            _countAtLastCheck = count;
            return;
        }

        _isCheckDue = true;
        _wake();
    }
}
