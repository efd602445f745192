using System.Runtime.ExceptionServices;

namespace EfPooling.Core;

/// <summary>The answer to a caller that asks for a lease: a slot, a place in the queue, or a refusal.</summary>
internal readonly record struct Admission<T>(Slot<T>? Slot, bool NeedsCheck, Waiter<T>? Waiter, ExceptionDispatchInfo? Refusal)
    where T : class;
