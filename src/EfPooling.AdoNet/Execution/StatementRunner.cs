using System.Data;
using System.Data.Common;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Runs a command or batch in this order: gate, placement, settings, attach, run, end. One place for the order, whatever the kind of statement and result. What was
/// refused because of an outdated plan runs once again.
/// </summary>
/// <remarks>Each asynchronous method is one state machine on purpose: this is the path that every query takes.</remarks>
internal static partial class StatementRunner
{
    public static TResult Run<TInner, TResult>(StatementExecution run, TInner inner, OperationKind kind, Func<TInner, TResult> execute)
    {
        Begin(run, LeaseScope.Command, kind);
        var hasRetried = false;
        try
        {
            while (true)
            {
                try
                {
                    Attach(run);
                    run.Statement.PrepareIfWanted();
                    run.OnSending(kind);
                    return execute(inner);
                }
                catch (Exception e) when (ShouldRunAgain(run, e, hasRetried))
                {
                    hasRetried = true; // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                    run.Restart();
                }
                catch (Exception e) when (run.IsOutcomeUnknown(e))
                {
                    throw CommitOutcomeUnknownException.OfStatement(e);
                }
            }
        }
        finally
        {
            run.End();
        }
    }

    public static async Task<TResult> RunAsync<TInner, TResult>(
        StatementExecution run, TInner inner, OperationKind kind, Func<TInner, CancellationToken, Task<TResult>> execute, CancellationToken cancellationToken)
    {
        await BeginAsync(run, LeaseScope.Command, kind, shared: null, cancellationToken).ConfigureAwait(false);
        var hasRetried = false;
        try
        {
            while (true)
            {
                try
                {
                    await AttachAsync(run).ConfigureAwait(false);
                    await run.Statement.PrepareIfWantedAsync(cancellationToken).ConfigureAwait(false);
                    run.OnSending(kind);
                    var result = await execute(inner, cancellationToken).ConfigureAwait(false);
                    run.NoteLateCancel();
                    return result;
                }
                catch (Exception e) when (ShouldRunAgain(run, e, hasRetried))
                {
                    hasRetried = true; // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                    await run.RestartAsync().ConfigureAwait(false);
                }
                catch (Exception e) when (run.IsOutcomeUnknown(e))
                {
                    throw CommitOutcomeUnknownException.OfStatement(e);
                }
            }
        }
        finally
        {
            await run.EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Like <see cref="Run"/>, but the run goes on until the reader is closed.</summary>
    public static DbDataReader Read<TInner>(
        StatementExecution run, TInner inner, OperationKind kind, Func<TInner, CommandBehavior, NpgsqlDataReader> execute, CommandBehavior behavior)
    {
        try
        {
            Begin(run, LeaseScope.Reader, kind);
        }
        catch when (run.HasEntered)
        {
            ToClose(run, behavior)?.Close();
            throw;
        }

        DbDataReader reader;
        var hasRetried = false;
        try
        {
            while (true)
            {
                try
                {
                    Attach(run);
                    run.Statement.PrepareIfWanted();
                    run.OnSending(kind);
                    reader = Wrap(run, execute(inner, WithoutClose(behavior)), behavior);
                    break;
                }
                catch (Exception e) when (ShouldRunAgain(run, e, hasRetried))
                {
                    hasRetried = true; // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                    run.Restart();
                }
                catch (Exception e) when (run.IsOutcomeUnknown(e))
                {
                    throw CommitOutcomeUnknownException.OfStatement(e);
                }
            }
        }
        catch
        {
            run.End();
            ToClose(run, behavior)?.Close();
            throw;
        }

        if (run.IsOrphaned)
        {
            reader.Close();
            throw StatementExecution.Orphaned();
        }

        return reader;
    }

    /// <inheritdoc cref="Read"/>
    public static async Task<DbDataReader> ReadAsync<TInner>(
        StatementExecution run,
        TInner inner,
        OperationKind kind,
        Func<TInner, CommandBehavior, CancellationToken, Task<NpgsqlDataReader>> execute,
        CommandBehavior behavior,
        CancellationToken cancellationToken)
    {
        try
        {
            await BeginAsync(run, LeaseScope.Reader, kind, Shared(behavior), cancellationToken).ConfigureAwait(false);
        }
        catch when (run.HasEntered)
        {
            await (ToClose(run, behavior)?.CloseAsync() ?? Task.CompletedTask).ConfigureAwait(false);
            throw;
        }

        if (run.BatchedRead is { } read)
        {
            var shared = Wrap(run, read.Reader, behavior);
            return run.IsOrphaned ? await CloseOrphanAsync(shared).ConfigureAwait(false) : shared;
        }

        DbDataReader reader;
        var hasRetried = false;
        try
        {
            while (true)
            {
                try
                {
                    await AttachAsync(run).ConfigureAwait(false);
                    await run.Statement.PrepareIfWantedAsync(cancellationToken).ConfigureAwait(false);
                    run.OnSending(kind);
                    var rows = await execute(inner, WithoutClose(behavior), cancellationToken).ConfigureAwait(false);
                    run.NoteLateCancel();
                    reader = Wrap(run, rows, behavior);
                    break;
                }
                catch (Exception e) when (ShouldRunAgain(run, e, hasRetried))
                {
                    hasRetried = true; // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                    await run.RestartAsync().ConfigureAwait(false);
                }
                catch (Exception e) when (run.IsOutcomeUnknown(e))
                {
                    throw CommitOutcomeUnknownException.OfStatement(e);
                }
            }
        }
        catch
        {
            await run.EndAsync().ConfigureAwait(false);
            await (ToClose(run, behavior)?.CloseAsync() ?? Task.CompletedTask).ConfigureAwait(false);
            throw;
        }

        return run.IsOrphaned ? await CloseOrphanAsync(reader).ConfigureAwait(false) : reader;
    }

    private static async Task<DbDataReader> CloseOrphanAsync(DbDataReader reader)
    {
        await reader.CloseAsync().ConfigureAwait(false);
        throw StatementExecution.Orphaned();
    }

    private static DbDataReader Wrap(StatementExecution run, NpgsqlDataReader inner, CommandBehavior behavior)
        => run.Statement.Wrap(inner, run, ToClose(run, behavior), behavior.HasFlag(CommandBehavior.SingleRow));

    // The connection that is to be closed together with a reader of this behaviour. One that was closed already may be in use again.
    private static IConnectionHost? ToClose(StatementExecution run, CommandBehavior behavior)
        => behavior.HasFlag(CommandBehavior.CloseConnection) && !run.Scope.IsClosed ? run.Statement.Host : null;

    // How a reader of this behaviour reads if it is a read batch's.
    private static CommandBehavior? Shared(CommandBehavior behavior)
        => (behavior & (CommandBehavior.KeyInfo | CommandBehavior.SchemaOnly)) == 0 ? behavior & CommandBehavior.SequentialAccess : null;

    private static CommandBehavior WithoutClose(CommandBehavior behavior) => behavior & ~CommandBehavior.CloseConnection;

    // "cached plan must not change result type" is worth one more attempt outside a transaction, or as the first statement of one; otherwise it has failed the transaction.
    // The message may be translated, the routine's name is not.
    private static bool ShouldRunAgain(StatementExecution run, Exception error, bool hasRetried)
    {
        if (error is PostgresException { SqlState: PostgresErrorCodes.FeatureNotSupported, Routine: "RevalidateCachedQuery" }
            && !hasRetried && run.Binding.MayRunAgain && run.Verdict.Effects == SessionEffects.None && run.Statement.IsOneTransaction)
        {
            run.Binding.Server.Settings.OnStatementFailed(serverAnswered: true);
            Log.StalePlanRetried(run.Scope.Pool.Logger, run.Scope.Pool.Name);
            return true;
        }

        run.OnFailed(error);
        return false;
    }
}
