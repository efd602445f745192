using System.Globalization;

namespace EfPooling.Core;

/// <summary>The numbers of a pool at one moment, taken together: they always add up (invariant I1).</summary>
public sealed record PoolSnapshot
{
    /// <summary>Name of the pool.</summary>
    public required string Name { get; init; }

    /// <summary>Whether the pool runs, drains or is closed.</summary>
    public required PoolPhase Phase { get; init; }

    /// <summary>Whether the pool is paused, or about to be: callers wait for its resumption.</summary>
    public bool IsPaused { get; init; }

    /// <summary>Whether the pool is disabled: new callers are refused.</summary>
    public bool IsDisabled { get; init; }

    /// <summary>Number of slots without the reserve.</summary>
    public required int MaxPoolSize { get; init; }

    /// <summary>Number of slots of the reserve.</summary>
    public required int ReservePoolSize { get; init; }

    /// <summary>Server connections that are open and idle.</summary>
    public required int Idle { get; init; }

    /// <summary>Server connections in use.</summary>
    public required int InUse { get; init; }

    /// <summary>Server connections being opened.</summary>
    public required int Opening { get; init; }

    /// <summary>Server connections being closed.</summary>
    public required int Closing { get; init; }

    /// <summary>Slots without a server connection, the reserve included.</summary>
    public required int Free { get; init; }

    /// <summary>Callers that wait for a server connection.</summary>
    public required int Waiting { get; init; }

    /// <summary>Server connections that a reconnect is still to replace.</summary>
    public int Outdated { get; init; }

    /// <summary>How often the pool was cleared.</summary>
    public required int Generation { get; init; }

    /// <summary>Leases granted since the pool was created.</summary>
    public required long LeasesGranted { get; init; }

    /// <summary>Callers that had to wait since the pool was created.</summary>
    public required long Waits { get; init; }

    /// <summary>Callers whose wait ended with <see cref="PoolOptions.QueryWaitTimeout"/>.</summary>
    public required long WaitTimeouts { get; init; }

    /// <summary>Server connections opened since the pool was created.</summary>
    public required long Opened { get; init; }

    /// <summary>Failed attempts to open a server connection since the pool was created.</summary>
    public required long OpenFailures { get; init; }

    /// <summary>Server connections retired since the pool was created, by reason; reasons that never occurred are absent.</summary>
    public required IReadOnlyDictionary<RetireReason, long> Retired { get; init; }

    /// <summary>Open server connections: idle, in use and closing.</summary>
    public int ServerConnections => Idle + InUse + Closing;

    /// <summary>The numbers on one line, for logs.</summary>
    public override string ToString()
        => string.Create(
            CultureInfo.InvariantCulture,
            $"Pool '{Name}' {Phase}{(IsPaused ? ", paused" : "")}{(IsDisabled ? ", disabled" : "")}: {InUse} in use, {Idle} idle, {Opening} opening, {Closing} closing, {Free} free of {MaxPoolSize}+{ReservePoolSize}; {Waiting} waiting");
}
