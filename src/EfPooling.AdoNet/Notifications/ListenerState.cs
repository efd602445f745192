using System.Runtime.ExceptionServices;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// What the subscribers of a <see cref="NotificationListener"/> and its <see cref="ListenerRun"/> share. All members except the
/// gate and the two signals require the gate.
/// </summary>
internal sealed class ListenerState
{
    public ListenerState(PoolOptions options, PoolClock clock)
    {
        Ledger = new SubscriptionLedger(Gate);
        Backoff = new LoginBackoff(options, clock, Random.Shared);
    }

    public Lock Gate { get; } = new();

    /// <summary>Called when there may be work for the run.</summary>
    public WakeUp WakeUp { get; } = new();

    /// <summary>Completed when the data source is closed.</summary>
    public TaskCompletionSource Closing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SubscriptionLedger Ledger { get; } // guarded by Gate

    public LoginBackoff Backoff { get; } // guarded by Gate

    /// <summary>Why the last attempt to connect failed; <c>null</c> if it succeeded.</summary>
    public ExceptionDispatchInfo? Refusal { get; set; } // guarded by Gate

    /// <summary>Completes when the run ends; <c>null</c>: there is none.</summary>
    public TaskCompletionSource? Run { get; set; } // guarded by Gate

    public bool IsClosed { get; set; } // guarded by Gate
}
