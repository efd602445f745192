using System.Data;
using System.Runtime.CompilerServices;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// How a statement gets what its lease holds: the claim, and then a server connection or a turn in a read batch; or a server connection of its
/// own beside the claim. What fails on the way gives back what it has.
/// </summary>
internal static class StatementStart
{
    /// <summary>Takes the claim and a server connection. If that fails, nothing is held; else <see cref="StatementLease.End"/> must follow.</summary>
    /// <param name="lease">What is to hold it.</param>
    /// <param name="scope">What ends the lease.</param>
    /// <param name="kind">What the statement does.</param>
    public static void Begin(StatementLease lease, LeaseScope scope, OperationKind kind)
    {
        lease.Reset();
        var connectionScope = ScopeOf(lease.Statement);
        if (!connectionScope.Claim.TryTake(lease, kind, lease))
        {
            var apart = lease.Claim.RunBeside(connectionScope, lease, kind, out var isNested);
            lease.Start(scope, hasClaim: false, CancellationToken.None);
            try
            {
                lease.Prepare();
                lease.Enter(apart.Acquire(lease, isNested) ?? throw RefuseFull(lease, kind));
                return;
            }
            catch
            {
                lease.Claim.LeaveSide();
                throw;
            }
        }

        lease.Claim.OnTaken(connectionScope, lease, kind);
        lease.Start(scope, hasClaim: true, CancellationToken.None);
        try
        {
            lease.Prepare();
            lease.Enter(connectionScope.Bind(lease));
        }
        catch
        {
            lease.Claim.GiveUp(lease);
            throw;
        }
    }

    /// <inheritdoc cref="Begin"/>
    /// <param name="lease">What is to hold it.</param>
    /// <param name="scope">What ends the lease.</param>
    /// <param name="kind">What the statement does.</param>
    /// <param name="shared">How the reader is to read if it is a read batch's, in which case <see cref="StatementLease.BatchedRead"/> has its turn in place of a server connection; <c>null</c>: it may not be.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public static ValueTask BeginAsync(StatementLease lease, LeaseScope scope, OperationKind kind, CommandBehavior? shared, CancellationToken cancellationToken)
    {
        lease.Reset();
        var connectionScope = ScopeOf(lease.Statement);
        if (!connectionScope.Claim.TryTake(lease, kind, lease))
        {
            return BeginBusyAsync(lease, connectionScope, scope, kind, shared, cancellationToken);
        }

        lease.Claim.OnTaken(connectionScope, lease, kind);
        lease.Start(scope, hasClaim: true, cancellationToken);
        return EnterAsync(lease, shared, cancellationToken);
    }

    private static async ValueTask BeginBusyAsync(
        StatementLease lease, ConnectionScope connectionScope, LeaseScope scope, OperationKind kind, CommandBehavior? shared, CancellationToken cancellationToken)
    {
        if (connectionScope.Claim.MayWait)
        {
            await connectionScope.Claim.WaitAsync(lease, kind, lease, cancellationToken).ConfigureAwait(false);
            lease.Claim.OnTaken(connectionScope, lease, kind);
            lease.Start(scope, hasClaim: true, cancellationToken);
            await EnterAsync(lease, shared, cancellationToken).ConfigureAwait(false);
            return;
        }

        var apart = lease.Claim.RunBeside(connectionScope, lease, kind, out var isNested);
        lease.Start(scope, hasClaim: false, cancellationToken);
        try
        {
            lease.Prepare();
            lease.Enter(await apart.AcquireAsync(lease, isNested, cancellationToken).ConfigureAwait(false) ?? throw RefuseFull(lease, kind));
        }
        catch
        {
            lease.Claim.LeaveSide();
            throw;
        }
    }

    private static ValueTask EnterAsync(StatementLease lease, CommandBehavior? shared, CancellationToken cancellationToken)
    {
        ValueTask<Binding> binding;
        try
        {
            lease.Prepare();
            if (shared is { } behavior && lease.ConnectionScope.Execution.ReadMultiplexer is { } multiplexer && multiplexer.IsWorthwhile(lease.Verdict) && lease.ConnectionScope.IsUnbound
                && lease.Statement.Shareable is { } command && multiplexer.TryCreate(command, behavior, lease.Statement.CommandTimeout, lease.Verdict, lease.Wanted, lease, lease.ConnectionScope.Since) is { } read)
            {
                lease.ConnectionScope.OnWaiting();
                return ShareAsync(lease, multiplexer, read, cancellationToken);
            }

            binding = lease.ConnectionScope.BindAsync(lease, cancellationToken);
        }
        catch
        {
            lease.Claim.GiveUp(lease);
            throw;
        }

        if (!binding.IsCompletedSuccessfully)
        {
            return AwaitAsync(lease, binding);
        }

        lease.Enter(binding.Result);
        return ValueTask.CompletedTask;

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        static async ValueTask AwaitAsync(StatementLease lease, ValueTask<Binding> binding)
        {
            try
            {
                lease.Enter(await binding.ConfigureAwait(false));
            }
            catch
            {
                lease.Claim.GiveUp(lease);
                throw;
            }

            await ThrowIfOrphanedAsync(lease).ConfigureAwait(false);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask ShareAsync(StatementLease lease, ReadMultiplexer multiplexer, BatchedRead read, CancellationToken cancellationToken)
    {
        lease.OnQueuedToShare(read);
        try
        {
            if (await multiplexer.ShareAsync(read, cancellationToken).ConfigureAwait(false) is { } alone)
            {
                lease.Enter(new Binding(alone), solo: new SoloRun(multiplexer.Eligibility, read));
            }
            else
            {
                lease.Enter(new Binding(read.Server, read), read);
            }
        }
        catch
        {
            lease.OnNotShared();
            lease.Claim.GiveUp(lease);
            throw;
        }

        if (lease.BatchedRead is null)
        {
            await ThrowIfOrphanedAsync(lease).ConfigureAwait(false);
        }
    }

    // Nothing is sent for somebody who has closed the connection while this waited: that nobody awaits it any more is no reason to write.
    private static async ValueTask ThrowIfOrphanedAsync(StatementLease lease)
    {
        if (lease.IsOrphaned)
        {
            await lease.EndAsync().ConfigureAwait(false);
            throw StatementLease.Orphaned();
        }
    }

    private static ConnectionScope ScopeOf(IPooledStatement statement)
    {
        var connection = statement.Host
            ?? throw new InvalidOperationException("The command has no connection. Set its Connection property, or create it with connection.CreateCommand().");
        if (statement.Disposal is { IsSet: true } disposal)
        {
            throw disposal.Refuse(statement.GetType().Name, connection.Guard, "Create another command.");
        }

        var connectionScope = connection.OpenScope;
        statement.Transaction?.ThrowIfOver(); // It would be committed at once.
        if (statement.Transaction?.IsOf(connection) == false)
        {
            throw new InvalidOperationException($"The transaction of this {statement.GetType().Name} belongs to another connection. Begin it on the command's own connection, or set both.");
        }

        return connectionScope;
    }

    private static ConcurrentUseException RefuseFull(StatementLease lease, OperationKind kind)
        => lease.ConnectionScope.Claim.Refuse(lease, kind, lease, $"All server connections of pool '{lease.ConnectionScope.Pool.Name}' are held by callers who would wait for another one in the same way.");
}
