namespace EfPooling.Core;

/// <summary>The single-use right to use one server connection until <see cref="Release()"/> or <see cref="Retire"/>.</summary>
/// <remarks>A copy is the same lease: ending one copy ends all. Not thread-safe beyond that check.</remarks>
/// <typeparam name="T">The server connection.</typeparam>
internal readonly struct Lease<T> : IEquatable<Lease<T>>
    where T : class
{
    private readonly ServerConnectionPool<T>? _pool;
    private readonly Slot<T>? _slot;
    private readonly int _version;

    internal Lease(ServerConnectionPool<T> pool, Slot<T> slot)
    {
        _pool = pool;
        _slot = slot;
        _version = slot.Version;
    }

    /// <summary>Whether the lease was granted and has not ended.</summary>
    public bool IsActive => _slot is not null && _slot.Version == _version;

    /// <summary>The server connection.</summary>
    /// <exception cref="LeaseEndedException">The lease has ended.</exception>
    public T Connection => IsActive ? _slot!.Connection! : throw new LeaseEndedException();

    /// <summary>Ends the lease; the server connection goes to the oldest waiter or becomes idle.</summary>
    /// <exception cref="LeaseEndedException">The lease has ended already.</exception>
    public void Release() => Release(affinity: null);

    /// <inheritdoc cref="Release()"/>
    /// <param name="affinity">Marks the connection for holders with the same <see cref="ILeaseHolder.Affinity"/>.</param>
    public void Release(object? affinity) => Pool.EndLease(_slot!, _version, retire: null, affinity);

    /// <summary>Ends the lease and closes the server connection.</summary>
    /// <param name="reason">Why; goes to the log and the counters.</param>
    /// <exception cref="LeaseEndedException">The lease has ended already.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reason; the lease goes on.</exception>
    public void Retire(RetireReason reason)
    {
        ThrowIfUnknown(reason);
        Pool.EndLease(_slot!, _version, reason, affinity: null);
    }

    /// <summary>
    /// Makes the end of the lease close the server connection, even if the lease is released. After the return, no other caller
    /// gets that connection.
    /// </summary>
    /// <param name="reason">Why. The reason of a later <see cref="Retire"/> replaces it.</param>
    /// <remarks>Can be called by any thread, any number of times.</remarks>
    /// <exception cref="LeaseEndedException">The lease has ended already, and nothing was changed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reason.</exception>
    public void RetireAtEnd(RetireReason reason)
    {
        ThrowIfUnknown(reason);
        Pool.RetireAtEnd(_slot!, _version, reason);
    }

    private ServerConnectionPool<T> Pool => _pool ?? throw new LeaseEndedException();

    private static void ThrowIfUnknown(RetireReason reason)
    {
        if (!Enum.IsDefined(reason))
        {
            throw new ArgumentOutOfRangeException(nameof(reason), reason, "There is no such reason.");
        }
    }

    /// <inheritdoc/>
    public bool Equals(Lease<T> other) => ReferenceEquals(_slot, other._slot) && _version == other._version;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Lease<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_slot, _version);

    /// <summary>Whether both are the same lease.</summary>
    public static bool operator ==(Lease<T> left, Lease<T> right) => left.Equals(right);

    /// <summary>Whether they are different leases.</summary>
    public static bool operator !=(Lease<T> left, Lease<T> right) => !left.Equals(right);
}
