using System.Runtime.CompilerServices;
using EfPooling.AdoNet;
using EfPooling.Core;

namespace EfPooling.Interleavings.Tests;

/// <summary>What only a test that stops all flows may look at.</summary>
internal static class GateView
{
    /// <summary>The operation in flight.</summary>
    public static ILeaseHolder? Operation(this OperationGate gate) => OperationOf(gate);

    /// <summary>The open reader of the operation in flight.</summary>
    public static IOpenResult? Reader(this OperationGate gate) => ReaderOf(gate);

    /// <summary>Who waits, the longest first.</summary>
    public static IEnumerable<ILeaseHolder> Queue(this OperationGate gate)
        => QueueOf(gate) is { } queue ? PlacesOf(queue).Take(CountOf(queue)).Select(place => place.Operation) : [];

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_operation")]
    private static extern ref ILeaseHolder? OperationOf(OperationGate gate);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_reader")]
    private static extern ref IOpenResult? ReaderOf(OperationGate gate);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_queue")]
    private static extern ref OperationQueue? QueueOf(OperationGate gate);

    // Before it counts, whoever adds a place has not left the gate, and is not there yet for others.
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_count")]
    private static extern ref int CountOf(OperationQueue queue);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_places")]
    private static extern ref LinkedList<OperationQueue.Place> PlacesOf(OperationQueue queue);
}
