using System.Data;

namespace EfPooling.AdoNet;

/// <summary>The platforms of a pool, one for each kind of train. Thread-safe.</summary>
/// <param name="commandTimeout">The pool's own, in seconds.</param>
internal sealed class Platforms(int commandTimeout)
{
    private const int Seats = 32;

    private readonly Lock _gate = new();
    private readonly Platform _main = new(); // guarded by _gate: for those without settings, with the pool's own time-out, and not in sequence
    private readonly Dictionary<(SettingMap, int, CommandBehavior), Platform> _others = []; // guarded by _gate

    /// <inheritdoc cref="Platform.TryRide"/>
    public bool TryRide(Passenger passenger)
    {
        lock (_gate)
        {
            return PlatformOf(passenger).TryRide(passenger, Seats);
        }
    }

    /// <summary>The passenger waits in the pool's own queue from now on.</summary>
    public void AddDriver(Passenger passenger)
    {
        lock (_gate)
        {
            PlatformOf(passenger).AddDriver();
        }
    }

    /// <inheritdoc cref="Platform.ReplaceDriver"/>
    public void ReplaceDriver(Passenger driver)
    {
        lock (_gate)
        {
            var platform = PlatformOf(driver);
            platform.ReplaceDriver();
            Settle(driver, platform);
        }
    }

    /// <inheritdoc cref="Platform.TakeRiders"/>
    public Passenger[] TakeRiders(Passenger driver)
    {
        lock (_gate)
        {
            var platform = PlatformOf(driver);
            var riders = platform.TakeRiders(Seats);
            Settle(driver, platform);
            return riders;
        }
    }

    // Requires the gate.
    private Platform PlatformOf(Passenger passenger)
    {
        if (passenger.Wanted.IsEmpty && passenger.CommandTimeout == commandTimeout && passenger.Behavior == CommandBehavior.Default)
        {
            return _main;
        }

        var key = (passenger.Wanted, passenger.CommandTimeout, passenger.Behavior);
        if (!_others.TryGetValue(key, out var platform))
        {
            _others[key] = platform = new Platform();
        }

        return platform;
    }

    // Requires the gate. Settings have very many values, so a platform that nobody uses must go.
    private void Settle(Passenger driver, Platform platform)
    {
        platform.Promote(Seats);
        if (platform.IsEmpty && !ReferenceEquals(platform, _main))
        {
            _others.Remove((driver.Wanted, driver.CommandTimeout, driver.Behavior));
        }
    }
}
