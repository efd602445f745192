namespace EfPooling.AdoNet;

/// <summary>Where passengers wait who may share a train: same session settings, same time-out, same way of reading. Guarded by the station's gate.</summary>
internal sealed class Platform
{
    private readonly Queue<Passenger> _riders = new();

    /// <summary>Passengers that wait in the pool's own queue for a server connection and will take riders along.</summary>
    public int Drivers { get; private set; }

    public bool IsEmpty => Drivers == 0 && _riders.Count == 0;

    /// <returns>Whether somebody will take it along; else it drives.</returns>
    public bool TryRide(Passenger passenger, int seats)
    {
        if (_riders.Count >= Drivers * (seats - 1))
        {
            Drivers++;
            return false;
        }

        _riders.Enqueue(passenger);
        return true;
    }

    public void AddDriver() => Drivers++;

    /// <summary>A driver has a server connection.</summary>
    /// <returns>Those who go with it, who may have left meanwhile.</returns>
    public Passenger[] TakeRiders(int seats)
    {
        Drivers--;
        var count = Math.Min(_riders.Count, seats - 1);
        if (count == 0)
        {
            return [];
        }

        var riders = new Passenger[count];
        for (var i = 0; i < count; i++)
        {
            riders[i] = _riders.Dequeue();
        }

        return riders;
    }

    /// <summary>A driver gave up. The rider that waits longest takes its place, because a driver who came later gives up later.</summary>
    public void ReplaceDriver()
    {
        Drivers--;
        while (_riders.TryDequeue(out var rider))
        {
            if (rider.TryPromote())
            {
                Drivers++;
                return;
            }
        }
    }

    /// <summary>Makes sure that there are drivers for all who wait.</summary>
    public void Promote(int seats)
    {
        while (_riders.Count > Drivers * (seats - 1) && _riders.TryDequeue(out var rider))
        {
            Drivers += rider.TryPromote() ? 1 : 0;
        }
    }
}
