using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// The operations of one logical connection that run beside its gate, each on a server connection of its own. They touch nothing
/// of what the gate protects. Thread-safe.
/// </summary>
internal sealed class SideOperations(PoolContext pool, NestedLeases nested)
{
    private readonly NestedLeases.Holder _holder = new();
    private readonly Lock _gate = new();
    private readonly List<IOpenResult> _readers = []; // guarded by _gate: open

    /// <param name="operation">What needs it. The caller keeps a server connection meanwhile, in an open reader.</param>
    /// <returns><c>null</c> if nested callers would wait for each other.</returns>
    public Binding? Acquire(ILeaseHolder operation)
    {
        if (!nested.TryBeginWait(_holder))
        {
            return null;
        }

        var acquired = false;
        try
        {
            var binding = new Binding(pool.Acquire(operation, CancellationToken.None));
            acquired = true;
            return binding;
        }
        finally
        {
            nested.EndWait(_holder, acquired);
        }
    }

    /// <inheritdoc cref="Acquire"/>
    public async ValueTask<Binding?> AcquireAsync(ILeaseHolder operation, CancellationToken cancellationToken)
    {
        if (!nested.TryBeginWait(_holder))
        {
            return null;
        }

        var acquired = false;
        try
        {
            var binding = new Binding(await pool.AcquireAsync(operation, cancellationToken).ConfigureAwait(false));
            acquired = true;
            return binding;
        }
        finally
        {
            nested.EndWait(_holder, acquired);
        }
    }

    /// <summary>One of them has ended.</summary>
    public void OnEnded() => nested.Remove(_holder);

    /// <summary>The operation that holds the gate has ended.</summary>
    public void OnExited() => nested.RemoveReader(_holder);

    public void Add(IOpenResult reader)
    {
        lock (_gate)
        {
            _readers.Add(reader);
        }
    }

    public void Remove(IOpenResult reader)
    {
        lock (_gate)
        {
            _readers.Remove(reader);
        }
    }

    /// <summary>The readers that are open now. Closing the connection closes them.</summary>
    public IOpenResult[] OpenReaders()
    {
        lock (_gate)
        {
            return [.. _readers];
        }
    }
}
