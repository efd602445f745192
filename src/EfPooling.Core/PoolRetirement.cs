namespace EfPooling.Core;

/// <summary>A slot whose connection is to be closed outside the gate, and why.</summary>
internal readonly record struct PoolRetirement<T>(Slot<T> Slot, RetireReason Reason)
    where T : class;
