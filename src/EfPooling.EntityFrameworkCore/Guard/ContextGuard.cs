using System.Data.Common;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Guard;

/// <summary>
/// Detects a second operation of a context as EF Core's own detector does, and names both operations. One per context. It keeps
/// nothing of an ended operation, so a pooled context carries nothing over.
/// </summary>
/// <remarks>
/// Like EF Core's, it lets a flow enter again, including the tasks started inside. Those meet the operation gate of the
/// connection. Unlike EF Core's, being inside another context does not count.
/// </remarks>
internal sealed class ContextGuard(ICurrentDbContext current) : IConcurrencyDetector, ICallSiteSource
{
    private int _inside; // Interlocked only: entered and not exited
    private OperationStart _start; // written by the first to enter; read by others to describe it
    private IRelationalConnection? _connection; // written by the flow inside; the context's, which never changes
    private DbConnection? _used; // written by the flow inside; what others may look at

    /// <summary>Names the operation, whose SQL is not known yet.</summary>
    public string Text => $"a query or SaveChanges of {current.Context.GetType().Name}";

    public string? Origin => null;

    /// <exception cref="ConcurrentUseException">Another flow of control is inside.</exception>
    /// <exception cref="InvalidOperationException">The same, without a pooled connection: EF Core's own message.</exception>
    public ConcurrencyDetectorCriticalSectionDisposer EnterCriticalSection()
    {
        var outer = GuardFlow.Current;
        if (Interlocked.CompareExchange(ref _inside, 1, 0) == 0)
        {
            Begin();
        }
        else
        {
            // A refused flow has changed nothing, so the flow inside can leave and enter again meanwhile.
            if (outer?.IsInside(this) != true)
            {
                OnMet();
            }

            Interlocked.Increment(ref _inside);
        }

        GuardFlow.Current = new GuardFlow(this, outer, ExecutionContext.Capture(), outer is null ? _start.Site : null);
        return new ConcurrencyDetectorCriticalSectionDisposer(this);
    }

    public void ExitCriticalSection()
    {
        if (GuardFlow.Current is { } flow && flow.IsOf(this))
        {
            GuardFlow.Current = flow.Parent;
        }

        Leave();
    }

    // The query is about to use the connection, so it may be created here.
    private void Begin()
    {
        try
        {
            _used = (_connection ??= current.Context.GetService<IRelationalConnection>()).DbConnection;
            _start.Begin((_used as LogicalConnection)?.Pool?.Guard ?? ConcurrencyGuard.Default, OperationKind.ContextOperation, this);
        }
        catch
        {
            Leave();
            throw;
        }
    }

    private void Leave()
    {
        if (Volatile.Read(ref _inside) == 1)
        {
            _start.Clear();
        }

        Interlocked.Decrement(ref _inside);
    }

    private void OnMet()
    {
        var connection = _used as LogicalConnection;
        var guard = connection?.Pool?.Guard ?? ConcurrencyGuard.Default;
        if (_used is not null && connection is null)
        {
            throw new InvalidOperationException(CoreStrings.ConcurrentMethodInvocation);
        }

        var running = connection?.RunningOperation ?? _start.Describe(guard, Text);
        if (connection?.SuspectRunning() != true)
        {
            guard.Suspect(Text);
        }

        var refused = ConcurrencyGuard.DescribeCaller(OperationKind.ContextOperation, this, Text);
        throw new ConcurrentUseException(ConcurrentUseKind.ConcurrentOperation, running, refused);
    }
}
