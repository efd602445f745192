using System.Collections.Concurrent;

namespace EfPooling.Core.Tests.Stress;

/// <summary>Opens asynchronously, sometimes at once, sometimes not at all; counts what is open.</summary>
internal sealed class StressConnector(int seed) : IServerConnector<StressConnection>
{
    private readonly ConcurrentBag<StressConnection> _all = [];
    private readonly Random _random = new(seed); // guarded by itself
    private int _open;
    private int _mostOpen;
    private int _failures;
    private int _checks;

    public int MostOpen => Volatile.Read(ref _mostOpen);

    public int Failures => Volatile.Read(ref _failures);

    public int Checks => Volatile.Read(ref _checks);

    public IReadOnlyCollection<StressConnection> All => _all;

    public async Task<StressConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var chance = Next(100);
        if (chance > 20)
        {
            await Task.Yield();
        }

        if (chance > 60)
        {
            await Task.Run(() => Thread.SpinWait(chance * 100), CancellationToken.None);
        }

        if (chance == 0 || cancellationToken.IsCancellationRequested)
        {
            Interlocked.Increment(ref _failures);
            throw new InvalidOperationException("open failed");
        }

        var open = Interlocked.Increment(ref _open);
        for (var most = _mostOpen; open > most; most = _mostOpen)
        {
            Interlocked.CompareExchange(ref _mostOpen, open, most);
        }

        var connection = new StressConnection();
        _all.Add(connection);
        return connection;
    }

    public Task<bool> IsAliveOnThreadAsync(StressConnection connection) => Task.FromResult(Check());

    public async Task<bool> IsAliveAsync(StressConnection connection)
    {
        await Task.Yield();
        return Check();
    }

    public async Task CloseAsync(StressConnection connection)
    {
        if (Next(2) == 0)
        {
            await Task.Yield();
        }

        Interlocked.Decrement(ref _open);
        connection.Close();
    }

    private bool Check()
    {
        Interlocked.Increment(ref _checks);
        return Next(50) > 0;
    }

    private int Next(int limit)
    {
        lock (_random)
        {
            return _random.Next(limit);
        }
    }
}
