using System.Data;
using System.Runtime.CompilerServices;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <content>
/// What comes before a statement runs. Gate and placement: it enters the gate, and then a server connection or a result slot in a read batch; or a server connection of its own beside
/// the gate. What fails on the way gives back what it has. Then the settings, and the command, on the server connection.
/// </content>
internal static partial class StatementRunner
{
    /// <summary>Enters the gate and a server connection. If that fails, nothing is held; otherwise <see cref="StatementExecution.End"/> must follow.</summary>
    /// <param name="run">What is to hold it.</param>
    /// <param name="lasts">What ends the run.</param>
    /// <param name="kind">What the statement does.</param>
    public static void Begin(StatementExecution run, LeaseScope lasts, OperationKind kind)
    {
        run.Reset();
        var scope = ScopeOf(run.Statement);
        if (!scope.Gate.TryEnter(run, kind, run))
        {
            var side = run.RunBeside(scope, kind);
            run.Start(lasts, hasEntered: false, CancellationToken.None);
            try
            {
                run.Prepare();
                run.Enter(side.Acquire(run) ?? throw RefuseFull(run, kind));
                return;
            }
            catch
            {
                run.LeaveSide();
                throw;
            }
        }

        run.OnTaken(scope, kind);
        run.Start(lasts, hasEntered: true, CancellationToken.None);
        try
        {
            run.Prepare();
            run.Enter(scope.Bind(run));
        }
        catch
        {
            run.Exit();
            throw;
        }
    }

    /// <inheritdoc cref="Begin"/>
    /// <param name="run">What is to hold it.</param>
    /// <param name="lasts">What ends the run.</param>
    /// <param name="kind">What the statement does.</param>
    /// <param name="shared">How the reader is to read if it is a read batch's, in which case <see cref="StatementExecution.BatchedRead"/> has its turn in place of a server connection; <c>null</c>: it may not be.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public static ValueTask BeginAsync(StatementExecution run, LeaseScope lasts, OperationKind kind, CommandBehavior? shared, CancellationToken cancellationToken)
    {
        run.Reset();
        var scope = ScopeOf(run.Statement);
        if (!scope.Gate.TryEnter(run, kind, run))
        {
            return BeginBusyAsync(run, scope, lasts, kind, shared, cancellationToken);
        }

        run.OnTaken(scope, kind);
        run.Start(lasts, hasEntered: true, cancellationToken);
        return EnterAsync(run, shared, cancellationToken);
    }

    private static async ValueTask BeginBusyAsync(
        StatementExecution run, ConnectionScope scope, LeaseScope lasts, OperationKind kind, CommandBehavior? shared, CancellationToken cancellationToken)
    {
        if (scope.Gate.MayWait)
        {
            await scope.Gate.WaitAsync(run, kind, run, cancellationToken).ConfigureAwait(false);
            run.OnTaken(scope, kind);
            run.Start(lasts, hasEntered: true, cancellationToken);
            await EnterAsync(run, shared, cancellationToken).ConfigureAwait(false);
            return;
        }

        var side = run.RunBeside(scope, kind);
        run.Start(lasts, hasEntered: false, cancellationToken);
        try
        {
            run.Prepare();
            run.Enter(await side.AcquireAsync(run, cancellationToken).ConfigureAwait(false) ?? throw RefuseFull(run, kind));
        }
        catch
        {
            run.LeaveSide();
            throw;
        }
    }

    private static ValueTask EnterAsync(StatementExecution run, CommandBehavior? shared, CancellationToken cancellationToken)
    {
        ValueTask<Binding> binding;
        try
        {
            run.Prepare();
            if (shared is { } behavior && run.Scope.Execution.ReadMultiplexer is { } multiplexer && multiplexer.IsWorthwhile(run.Verdict) && run.Scope.IsUnbound
                && run.Statement.Shareable is { } command && multiplexer.TryCreate(command, behavior, run.Statement.CommandTimeout, run.Verdict, run.Wanted, run, run.Scope.Since) is { } read)
            {
                run.Scope.OnWaiting();
                return ShareAsync(run, multiplexer, read, cancellationToken);
            }

            binding = run.Scope.BindAsync(run, cancellationToken);
        }
        catch
        {
            run.Exit();
            throw;
        }

        if (!binding.IsCompletedSuccessfully)
        {
            return AwaitAsync(run, binding);
        }

        run.Enter(binding.Result);
        return ValueTask.CompletedTask;

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        static async ValueTask AwaitAsync(StatementExecution run, ValueTask<Binding> binding)
        {
            try
            {
                run.Enter(await binding.ConfigureAwait(false));
            }
            catch
            {
                run.Exit();
                throw;
            }

            await ThrowIfOrphanedAsync(run).ConfigureAwait(false);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask ShareAsync(StatementExecution run, ReadMultiplexer multiplexer, BatchedRead read, CancellationToken cancellationToken)
    {
        run.OnQueuedToShare(read);
        try
        {
            if (await multiplexer.ShareAsync(read, cancellationToken).ConfigureAwait(false) is { } alone)
            {
                run.Enter(new Binding(alone), solo: new SoloRun(multiplexer.Eligibility, read));
            }
            else
            {
                run.Enter(new Binding(read.Server, read), read);
            }
        }
        catch
        {
            run.OnNotShared();
            run.Exit();
            throw;
        }

        if (run.BatchedRead is null)
        {
            await ThrowIfOrphanedAsync(run).ConfigureAwait(false);
        }
    }

    // Nothing is sent if the connection was closed while this waited: that nobody awaits it any more is no reason to write.
    private static async ValueTask ThrowIfOrphanedAsync(StatementExecution run)
    {
        if (run.IsOrphaned)
        {
            await run.EndAsync().ConfigureAwait(false);
            throw StatementExecution.Orphaned();
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

        var scope = connection.OpenScope;
        statement.Transaction?.ThrowIfOver(); // It would be committed at once.
        if (statement.Transaction?.IsOf(connection) == false)
        {
            throw new InvalidOperationException($"The transaction of this {statement.GetType().Name} belongs to another connection. Begin it on the command's own connection, or set both.");
        }

        return scope;
    }

    private static ConcurrentUseException RefuseFull(StatementExecution run, OperationKind kind)
        => run.Scope.Gate.Refuse(run, kind, run, $"All server connections of pool '{run.Scope.Pool.Name}' are held by callers who would wait for another one in the same way.");

    private static void Attach(StatementExecution run)
    {
        run.Scope.OnAttaching(run.Binding.Server, run.Verdict);
        if (run.Binding.IsInTransaction && run.Binding.Server.HasChangesOfOthers(run.Scope) && run.Binding.Server.TakesSettingsBefore(run.Verdict))
        {
            run.Binding.Server.ReadChangesBack(isInTransaction: true);
        }

        run.Binding.ApplySettings(run.Wanted, run.Verdict, MayShareTransaction(run));
        AttachInner(run);
    }

    private static ValueTask AttachAsync(StatementExecution run)
    {
        run.Scope.OnAttaching(run.Binding.Server, run.Verdict);
        if (run.Binding.IsInTransaction && run.Binding.Server.HasChangesOfOthers(run.Scope) && run.Binding.Server.TakesSettingsBefore(run.Verdict))
        {
            return ReadBackAndAttachAsync(run);
        }

        var applying = run.Binding.ApplySettingsAsync(run.Wanted, run.Verdict, MayShareTransaction(run), run.Token);
        if (!applying.IsCompletedSuccessfully)
        {
            return ApplyAndAttachAsync(run, applying);
        }

        AttachInner(run);
        return applying;

        static async ValueTask ReadBackAndAttachAsync(StatementExecution run)
        {
            await run.Binding.Server.ReadChangesBackAsync(isInTransaction: true).ConfigureAwait(false);
            await run.Binding.ApplySettingsAsync(run.Wanted, run.Verdict, MayShareTransaction(run), run.Token).ConfigureAwait(false);
            AttachInner(run);
        }

        static async ValueTask ApplyAndAttachAsync(StatementExecution run, ValueTask applying)
        {
            await applying.ConfigureAwait(false);
            AttachInner(run);
        }
    }

    private static void AttachInner(StatementExecution run)
    {
        run.Statement.Attach(run.Binding.Server.Npgsql);
        run.MayWrite = run.Scope.Expect(run.Verdict, run.Statement, run.Binding.Server);
    }

    // Settings may travel with it.
    private static bool MayShareTransaction(StatementExecution run) => run.Verdict.CanShareTransaction && run.Statement.IsOneTransaction;
}
