using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>Operations that wait for the gate on one logical connection, first come first served. Thread-safe.</summary>
/// <remarks>The code that removes a place from the queue completes it, so granting, cancelling and timing out exclude each other.</remarks>
internal sealed class OperationQueue
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Place> _places = new(); // guarded by _gate

    // Read without the gate too: an operation that exits the gate, or adds a place, looks at the other side after a full fence.
    private volatile int _count;

    public bool IsEmpty => _count == 0;

    public Place Add(ILeaseHolder operation)
    {
        var place = new Place(operation);
        lock (_gate)
        {
            _places.AddLast(place);
            _count++;
        }

        return place;
    }

    /// <summary>Lets in the first in the queue, if nobody has it.</summary>
    /// <param name="tryEnter">Enters the gate for an operation; a full fence.</param>
    public void Grant(Func<ILeaseHolder, bool> tryEnter)
    {
        Place? first;
        lock (_gate)
        {
            first = _places.First?.Value;
            if (first is null || !tryEnter(first.Operation))
            {
                return;
            }

            _places.RemoveFirst();
            _count--;
        }

        first.Turn.SetResult();
    }

    /// <returns>Whether it was still waiting.</returns>
    public bool Refuse(Place place, Exception error)
    {
        lock (_gate)
        {
            if (!_places.Remove(place))
            {
                return false;
            }

            _count--;
        }

        place.Turn.SetException(error);
        return true;
    }

    public void RefuseAll(Func<Exception> error)
    {
        Place[] places;
        lock (_gate)
        {
            places = [.. _places];
        }

        foreach (var place in places)
        {
            Refuse(place, error());
        }
    }

    /// <summary>A place in the queue; entering the gate ends its wait.</summary>
    internal sealed class Place(ILeaseHolder operation)
    {
        public ILeaseHolder Operation => operation;

        public TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
