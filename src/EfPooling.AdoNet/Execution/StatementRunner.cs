using System.Data;
using System.Data.Common;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Runs a command or batch: begins its lease, puts it on the server connection with its settings, runs, runs again after an outdated plan,
/// and ends the lease. One place for the order of these steps, whatever the kind of statement and result.
/// </summary>
/// <remarks>Each asynchronous method is one state machine on purpose: this is the path that every query takes.</remarks>
internal static class StatementRunner
{
    public static TResult Run<TInner, TResult>(StatementLease lease, TInner inner, OperationKind kind, Func<TInner, TResult> execute)
    {
        StatementStart.Begin(lease, LeaseScope.Command, kind);
        var hasRetried = false;
        try
        {
            while (true)
            {
                try
                {
                    Attach(lease);
                    lease.Statement.PrepareIfWanted();
                    lease.OnSending(kind);
                    return execute(inner);
                }
                catch (Exception e) when (ShouldRunAgain(lease, e, hasRetried))
                {
                    hasRetried = true; // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                    lease.Restart();
                }
                catch (Exception e) when (lease.IsOutcomeUnknown(e))
                {
                    throw CommitOutcomeUnknownException.OfStatement(e);
                }
            }
        }
        finally
        {
            lease.End();
        }
    }

    public static async Task<TResult> RunAsync<TInner, TResult>(
        StatementLease lease, TInner inner, OperationKind kind, Func<TInner, CancellationToken, Task<TResult>> execute, CancellationToken cancellationToken)
    {
        await StatementStart.BeginAsync(lease, LeaseScope.Command, kind, shared: null, cancellationToken).ConfigureAwait(false);
        var hasRetried = false;
        try
        {
            while (true)
            {
                try
                {
                    await AttachAsync(lease).ConfigureAwait(false);
                    await lease.Statement.PrepareIfWantedAsync(cancellationToken).ConfigureAwait(false);
                    lease.OnSending(kind);
                    var result = await execute(inner, cancellationToken).ConfigureAwait(false);
                    lease.NoteLateCancel();
                    return result;
                }
                catch (Exception e) when (ShouldRunAgain(lease, e, hasRetried))
                {
                    hasRetried = true; // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                    await lease.RestartAsync().ConfigureAwait(false);
                }
                catch (Exception e) when (lease.IsOutcomeUnknown(e))
                {
                    throw CommitOutcomeUnknownException.OfStatement(e);
                }
            }
        }
        finally
        {
            await lease.EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Like <see cref="Run"/>, but the lease goes on until the reader is closed.</summary>
    public static DbDataReader Read<TInner>(
        StatementLease lease, TInner inner, OperationKind kind, Func<TInner, CommandBehavior, NpgsqlDataReader> execute, CommandBehavior behavior)
    {
        try
        {
            StatementStart.Begin(lease, LeaseScope.Reader, kind);
        }
        catch when (lease.HasTakenClaim)
        {
            ToClose(lease, behavior)?.Close();
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
                    Attach(lease);
                    lease.Statement.PrepareIfWanted();
                    lease.OnSending(kind);
                    reader = Wrap(lease, execute(inner, WithoutClose(behavior)), behavior);
                    break;
                }
                catch (Exception e) when (ShouldRunAgain(lease, e, hasRetried))
                {
                    hasRetried = true; // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                    lease.Restart();
                }
                catch (Exception e) when (lease.IsOutcomeUnknown(e))
                {
                    throw CommitOutcomeUnknownException.OfStatement(e);
                }
            }
        }
        catch
        {
            lease.End();
            ToClose(lease, behavior)?.Close();
            throw;
        }

        if (lease.IsOrphaned)
        {
            reader.Close();
            throw StatementLease.Orphaned();
        }

        return reader;
    }

    /// <inheritdoc cref="Read"/>
    public static async Task<DbDataReader> ReadAsync<TInner>(
        StatementLease lease,
        TInner inner,
        OperationKind kind,
        Func<TInner, CommandBehavior, CancellationToken, Task<NpgsqlDataReader>> execute,
        CommandBehavior behavior,
        CancellationToken cancellationToken)
    {
        try
        {
            await StatementStart.BeginAsync(lease, LeaseScope.Reader, kind, Shared(behavior), cancellationToken).ConfigureAwait(false);
        }
        catch when (lease.HasTakenClaim)
        {
            await (ToClose(lease, behavior)?.CloseAsync() ?? Task.CompletedTask).ConfigureAwait(false);
            throw;
        }

        if (lease.BatchedRead is { } read)
        {
            var shared = Wrap(lease, read.Reader, behavior);
            return lease.IsOrphaned ? await CloseOrphanAsync(shared).ConfigureAwait(false) : shared;
        }

        DbDataReader reader;
        var hasRetried = false;
        try
        {
            while (true)
            {
                try
                {
                    await AttachAsync(lease).ConfigureAwait(false);
                    await lease.Statement.PrepareIfWantedAsync(cancellationToken).ConfigureAwait(false);
                    lease.OnSending(kind);
                    var rows = await execute(inner, WithoutClose(behavior), cancellationToken).ConfigureAwait(false);
                    lease.NoteLateCancel();
                    reader = Wrap(lease, rows, behavior);
                    break;
                }
                catch (Exception e) when (ShouldRunAgain(lease, e, hasRetried))
                {
                    hasRetried = true; // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                    await lease.RestartAsync().ConfigureAwait(false);
                }
                catch (Exception e) when (lease.IsOutcomeUnknown(e))
                {
                    throw CommitOutcomeUnknownException.OfStatement(e);
                }
            }
        }
        catch
        {
            await lease.EndAsync().ConfigureAwait(false);
            await (ToClose(lease, behavior)?.CloseAsync() ?? Task.CompletedTask).ConfigureAwait(false);
            throw;
        }

        return lease.IsOrphaned ? await CloseOrphanAsync(reader).ConfigureAwait(false) : reader;
    }

    private static async Task<DbDataReader> CloseOrphanAsync(DbDataReader reader)
    {
        await reader.CloseAsync().ConfigureAwait(false);
        throw StatementLease.Orphaned();
    }

    private static void Attach(StatementLease lease)
    {
        lease.ConnectionScope.OnAttaching(lease.Binding.Server, lease.Verdict);
        if (lease.Binding.IsInTransaction && lease.Binding.Server.HasChangesOfOthers(lease.ConnectionScope) && lease.Binding.Server.TakesSettingsBefore(lease.Verdict))
        {
            lease.Binding.Server.ReadChangesBack(isInTransaction: true);
        }

        lease.Binding.ApplySettings(lease.Wanted, lease.Verdict, MayShareTransaction(lease));
        AttachInner(lease);
    }

    private static ValueTask AttachAsync(StatementLease lease)
    {
        lease.ConnectionScope.OnAttaching(lease.Binding.Server, lease.Verdict);
        if (lease.Binding.IsInTransaction && lease.Binding.Server.HasChangesOfOthers(lease.ConnectionScope) && lease.Binding.Server.TakesSettingsBefore(lease.Verdict))
        {
            return ReadBackAndAttachAsync(lease);
        }

        var applying = lease.Binding.ApplySettingsAsync(lease.Wanted, lease.Verdict, MayShareTransaction(lease), lease.Token);
        if (!applying.IsCompletedSuccessfully)
        {
            return ApplyAndAttachAsync(lease, applying);
        }

        AttachInner(lease);
        return applying;

        static async ValueTask ReadBackAndAttachAsync(StatementLease lease)
        {
            await lease.Binding.Server.ReadChangesBackAsync(isInTransaction: true).ConfigureAwait(false);
            await lease.Binding.ApplySettingsAsync(lease.Wanted, lease.Verdict, MayShareTransaction(lease), lease.Token).ConfigureAwait(false);
            AttachInner(lease);
        }

        static async ValueTask ApplyAndAttachAsync(StatementLease lease, ValueTask applying)
        {
            await applying.ConfigureAwait(false);
            AttachInner(lease);
        }
    }

    private static void AttachInner(StatementLease lease)
    {
        lease.Statement.Attach(lease.Binding.Server.Npgsql);
        lease.MayWrite = lease.ConnectionScope.Expect(lease.Verdict, lease.Statement, lease.Binding.Server);
    }

    // Settings may travel with it.
    private static bool MayShareTransaction(StatementLease lease) => lease.Verdict.CanShareTransaction && lease.Statement.IsOneTransaction;

    private static DbDataReader Wrap(StatementLease lease, NpgsqlDataReader inner, CommandBehavior behavior)
        => lease.Statement.Wrap(inner, lease, ToClose(lease, behavior), behavior.HasFlag(CommandBehavior.SingleRow));

    // The connection that is to be closed together with a reader of this behaviour. One that was closed already may be in use again.
    private static IConnectionHost? ToClose(StatementLease lease, CommandBehavior behavior)
        => behavior.HasFlag(CommandBehavior.CloseConnection) && !lease.ConnectionScope.IsClosed ? lease.Statement.Host : null;

    // How a reader of this behaviour reads if it is a read batch's.
    private static CommandBehavior? Shared(CommandBehavior behavior)
        => (behavior & (CommandBehavior.KeyInfo | CommandBehavior.SchemaOnly)) == 0 ? behavior & CommandBehavior.SequentialAccess : null;

    private static CommandBehavior WithoutClose(CommandBehavior behavior) => behavior & ~CommandBehavior.CloseConnection;

    // "cached plan must not change result type" is worth one more attempt outside a transaction, or as the first statement of one; otherwise it has failed the transaction.
    // The message may be translated, the routine's name is not.
    private static bool ShouldRunAgain(StatementLease lease, Exception error, bool hasRetried)
    {
        if (error is PostgresException { SqlState: PostgresErrorCodes.FeatureNotSupported, Routine: "RevalidateCachedQuery" }
            && !hasRetried && lease.Binding.MayRunAgain && lease.Verdict.Effects == SessionEffects.None && lease.Statement.IsOneTransaction)
        {
            lease.Binding.Server.Settings.OnStatementFailed(serverAnswered: true);
            Log.StalePlanRetried(lease.ConnectionScope.Pool.Logger, lease.ConnectionScope.Pool.Name);
            return true;
        }

        lease.OnFailed(error);
        return false;
    }
}
