using System.Diagnostics;

namespace EfPooling.Core;

/// <summary>
/// The bookkeeping of one pool. Pure: no I/O, no clock, no await. Every member requires the gate. Every method leaves the
/// invariants intact once the opens it makes necessary have begun (<see cref="BeginOpenLocked"/>):
/// <list type="bullet">
/// <item>I1: idle + free + opening + in use + closing == MaxPoolSize + ReservePoolSize</item>
/// <item>I2: while not closed, idle &gt; 0 implies no waiters</item>
/// <item>I3: while not closed, free &gt; 0 and waiters &gt; 0 implies opening &gt;= min(waiters, MaxConcurrentOpens), or opens
/// are held off after a failure, or only the reserve is left and no more waiters are entitled to it, or the pool is paused</item>
/// <item>I4: closed implies no idle connection and no waiter</item>
/// <item>I5: a live connection implies that no caller waits for a sign that the server can be reached</item>
/// <item>I6: paused implies no idle connection, and no open that began since</item>
/// <item>I7: outdated == the connections whose replacement is ordered, each open or being opened</item>
/// </list>
/// </summary>
internal sealed partial class PoolLedger<T>
    where T : class
{
    private readonly PoolGate _gate;
    private readonly PoolOptions _options;
    private readonly LifetimePolicy _lifetime;
    private readonly long _idleLimit;
    private readonly long _checkDelay;
    private readonly long _probePeriod;
    private readonly Slot<T>[] _slots;
    private readonly Stack<Slot<T>> _free;
    private readonly IdleStack<T> _idle;

    // The gate guards every field below, and the contents of every field above.
    private long _suspectUntil = long.MinValue;
    private int _replacements;
    private long _lastOpenBegan;

    public PoolLedger(PoolGate gate, PoolOptions options, PoolClock clock, Random random)
    {
        _gate = gate;
        _options = options;
        _lifetime = new LifetimePolicy(options, clock, random);
        Backoff = new LoginBackoff(options, clock, random);
        _idleLimit = clock.Length(options.ServerIdleTimeout);
        _checkDelay = clock.Length(options.ServerCheckDelay);
        _probePeriod = clock.Length(LoginBackoff.LongestForCallers);
        _slots = [.. Enumerable.Range(0, options.MaxPoolSize + options.ReservePoolSize).Select(index => new Slot<T>(index))];
        _free = new Stack<Slot<T>>(_slots.Reverse());
        _idle = new IdleStack<T>(_slots.Length, options.ServerRoundRobin);
    }

    public PoolOptions Options => _options;

    public LoginBackoff Backoff { get; }

    public WaiterQueue<T> Waiters { get; } = new();

    /// <summary>Callers that ask only whether the server can be reached. Any connection serves them all at once.</summary>
    public WaiterQueue<T> Askers { get; } = new();

    /// <summary>All waiting callers.</summary>
    public int Waiting => Waiters.Count + Askers.Count;

    public IReadOnlyList<Slot<T>> Slots => _slots;

    public PoolPhase Phase { get; private set; }

    public int Generation { get; private set; }

    public int Opening { get; private set; }

    public int InUse { get; private set; }

    public int Closing { get; private set; }

    /// <summary>The pool keeps no server connection, whatever MinPoolSize says, until the next caller.</summary>
    public bool IsAtRest { get; private set; }

    public int Idle => _idle.Count;

    public int Free => _free.Count;

    /// <summary>Server connections that were alive at their last use.</summary>
    public int Live => Idle + InUse;

    /// <summary>No lease runs and no caller waits for a lease or for the opens under way.</summary>
    public bool IsQuiet => InUse == 0 && Closing == 0 && Waiting == 0;

    public PoolCounters Counters { get; } = new();

    /// <returns>An idle slot, now in use, or <c>null</c>. By I2 no caller waits if there is one.</returns>
    public Slot<T>? TakeIdleLocked(ILeaseHolder? holder, object? affinity, long now, out bool needsCheck)
    {
        AssertGate();
        if (_idle.Count == 0)
        {
            needsCheck = false;
            return null;
        }

        var slot = _idle.Pop(affinity);
        needsCheck = _checkDelay != long.MaxValue && (now - slot.IdleSince > _checkDelay || slot.IdleSince <= _suspectUntil || _checkDelay == 0);
        LeaseLocked(slot, holder, now);
        return slot;
    }

    public void EnqueueLocked(Waiter<T> waiter)
    {
        AssertGate();
        QueueOf(waiter).Enqueue(waiter);
        IsAtRest = false; // A pool at rest has no idle connection, so the next caller queues.
        Counters.Waits++;
    }

    /// <inheritdoc cref="WaiterQueue{T}.Remove"/>
    public bool RemoveLocked(Waiter<T> waiter)
    {
        AssertGate();
        return QueueOf(waiter).Remove(waiter);
    }

    /// <summary>Takes the callers that have their answer: a connection is open.</summary>
    public List<Waiter<T>>? TakeAnsweredLocked()
    {
        AssertGate();
        if (Live == 0 || Askers.Count == 0)
        {
            return null;
        }

        var answered = new List<Waiter<T>>(Askers.Count);
        TakeAll(Askers, answered);
        return answered;
    }

    /// <param name="waiter"><c>null</c> for a caller whose time ended between two attempts.</param>
    /// <returns>Whether this call answers the caller: no other flow took the waiter out of the queue.</returns>
    public bool TimeOutLocked(Waiter<T>? waiter)
    {
        AssertGate();
        var isOver = waiter is null || RemoveLocked(waiter);
        Counters.WaitTimeouts += isOver ? 1 : 0;
        return isOver;
    }

    /// <summary>Whether a caller may take a slot or queue. A draining or disabled pool admits no new callers.</summary>
    /// <param name="since">When the caller began to wait.</param>
    /// <param name="isAdmitted">Whether the caller was admitted before, and waits on.</param>
    public bool Admits(long since, bool isAdmitted) => AdmitsAll || (since < _admittedBefore && (!IsDisabled || isAdmitted));

    /// <summary>Refuses all waiters if there is no live connection, no attempt under way, and opens are still held off.</summary>
    /// <returns>What to tell the refused waiters.</returns>
    public Exception? RefuseHopelessLocked(ICollection<Waiter<T>> refused, long now)
    {
        AssertGate();
        if (IsHopeless(now))
        {
            RefuseWaitersLocked(refused);
        }

        return Backoff.LastError;
    }

    public bool IsHopeless(long now) => !IsPaused && Live == 0 && Opening == 0 && Backoff.IsHoldingCallers(now);

    private void RefuseWaitersLocked(ICollection<Waiter<T>> refused)
    {
        TakeAll(Waiters, refused);
        TakeAll(Askers, refused);
    }

    private static void TakeAll(WaiterQueue<T> queue, ICollection<Waiter<T>> taken)
    {
        while (queue.First is { } waiter)
        {
            queue.Remove(waiter);
            taken.Add(waiter);
        }
    }

    private WaiterQueue<T> QueueOf(Waiter<T> waiter) => waiter.WantsLease ? Waiters : Askers;

    // The one place where a connection without a holder gets its next state.
    private PoolDecision<T> PlaceLocked(Slot<T> slot, RetireReason? retire, long now)
    {
        if ((retire ?? ReasonToRetireLocked(slot, now)) is { } reason)
        {
            RetireLocked(slot, reason);
            return new PoolDecision<T>(PoolAction.Retire, Reason: reason);
        }

        if (Waiters.First is { } waiter)
        {
            Waiters.Remove(waiter);
            LeaseLocked(slot, waiter.Holder, now);
            return new PoolDecision<T>(PoolAction.HandOver, waiter);
        }

        slot.State = SlotState.Idle;
        slot.IdleSince = now;
        _idle.Push(slot);
        return new PoolDecision<T>(PoolAction.Keep);
    }

    private void LeaseLocked(Slot<T> slot, ILeaseHolder? holder, long now)
    {
        slot.State = SlotState.InUse;
        slot.Holder = holder;
        slot.LeasedAt = now;
        slot.WasUsed = true;
        InUse++;
        Counters.LeasesGranted++;
    }

    private void RequireLeaseLocked(Slot<T> slot, int version)
    {
        AssertGate();
        if (slot.Version != version || slot.State != SlotState.InUse)
        {
            throw new LeaseEndedException();
        }
    }

    [Conditional("DEBUG")]
    public void AssertGate() => Debug.Assert(_gate.IsHeldByCurrentThread, "The ledger requires the gate.");

    [Conditional("DEBUG")]
    private void AssertState(Slot<T> slot, SlotState expected)
    {
        AssertGate();
        Debug.Assert(slot.State == expected, $"Slot {slot.Index} is {slot.State}, not {expected}.");
    }
}
