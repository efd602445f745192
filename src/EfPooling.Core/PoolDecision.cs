namespace EfPooling.Core;

internal enum PoolAction
{
    Keep,
    HandOver,
    Retire,
}

/// <summary>What the ledger decided about a slot under the gate; carried out outside it.</summary>
internal readonly record struct PoolDecision<T>(PoolAction Action, Waiter<T>? Waiter = null, RetireReason Reason = default)
    where T : class;
