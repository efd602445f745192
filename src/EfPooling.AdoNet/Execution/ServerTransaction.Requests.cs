using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <content>What the application asks for: commit, rollback, savepoints.</content>
internal sealed partial class ServerTransaction
{
    private static readonly NamedOperation Committing = new(LeaseScope.Transaction, "COMMIT", OperationKind.Commit);
    private static readonly NamedOperation Saving = new(LeaseScope.Transaction, "SAVEPOINT", OperationKind.Savepoint);

    /// <summary>Commits the transaction; nothing is sent if it ran no command.</summary>
    /// <exception cref="CommitOutcomeUnknownException">The connection broke while COMMIT was on the wire.</exception>
    /// <exception cref="TransactionBrokenException">The connection broke before; the server has rolled back.</exception>
    public void Commit()
    {
        ThrowIfLostAndDisposed();
        ThrowIfDisposed();
        using var entry = _scope.Gate.Enter(Committing, this);
        _debts?.ThrowIfAny();
        if (BeginToEnd())
        {
            try
            {
                _lease!.Inner.Commit();
                _state = State.Ended;
            }
            catch (Exception e) when (CommitFailed(e))
            {
                throw new CommitOutcomeUnknownException(e);
            }
            finally
            {
                EndLease();
            }
        }
    }

    /// <inheritdoc cref="Commit"/>
    /// <param name="cancellationToken">Heeded until COMMIT is sent. After that nothing interrupts it, because the outcome would be unknown.</param>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfLostAndDisposed();
        ThrowIfDisposed();
        using var entry = await _scope.Gate.EnterAsync(Committing, this, cancellationToken).ConfigureAwait(false);
        _debts?.ThrowIfAny();
        if (BeginToEnd())
        {
            try
            {
                await _lease!.Inner.CommitAsync(CancellationToken.None).ConfigureAwait(false);
                _state = State.Ended;
            }
            catch (Exception e) when (CommitFailed(e))
            {
                throw new CommitOutcomeUnknownException(e);
            }
            finally
            {
                await EndLeaseAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Rolls the transaction back. Does nothing after a failed commit or a broken connection, when the server has done so; nor does it
    /// throw if the connection breaks now.
    /// </summary>
    public void Rollback()
    {
        ThrowIfDisposed();
        using var entry = _scope.Gate.Enter(RollingBack, this);
        if (BeginRollback())
        {
            try
            {
                _lease!.Inner.Rollback();
            }
            catch (Exception e) when (RollbackFailed(e))
            {
                // The server rolls back what belongs to a broken connection.
            }
            finally
            {
                _state = State.Ended;
                EndLease();
            }
        }
    }

    /// <inheritdoc cref="Rollback()"/>
    /// <param name="cancellationToken">Heeded until ROLLBACK is sent.</param>
    public async Task RollbackAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfDisposed();
        using var entry = await _scope.Gate.EnterAsync(RollingBack, this, cancellationToken).ConfigureAwait(false);
        if (BeginRollback())
        {
            try
            {
                await _lease!.Inner.RollbackAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (RollbackFailed(e))
            {
                // The server rolls back what belongs to a broken connection.
            }
            finally
            {
                _state = State.Ended;
                await EndLeaseAsync().ConfigureAwait(false);
            }
        }
    }

    // EF Core disposes of a transaction whose connection it finds closed, so a caller that commits it later never learnt that it was lost.
    private void ThrowIfLostAndDisposed()
    {
        if (_disposal.IsSet && _hasBroken)
        {
            throw Broken();
        }
    }

    /// <returns>Whether the server must be told.</returns>
    private bool BeginToEnd()
    {
        ThrowIfUnusable();
        if (_state == State.OnServer)
        {
            return true;
        }

        _state = State.Ended;
        _scope.OnTransactionEnded(this);
        return false;
    }

    private bool BeginRollback()
    {
        NoteIfBroken();
        if (_state is State.Broken or State.CommitFailed)
        {
            _state = State.Ended;
            _scope.OnTransactionEnded(this);
            return false;
        }

        return BeginToEnd();
    }

    /// <returns>Whether the outcome is unknown; otherwise the server has refused to commit and rolled back.</returns>
    private bool CommitFailed(Exception error)
    {
        _state = State.CommitFailed;
        _lease!.Server.Observe(error);
        _scope.OnLost(_lease.Server);
        return _lease.Server.IsBroken;
    }

    /// <returns>Whether the connection broke; otherwise the failure is the caller's to see.</returns>
    private bool RollbackFailed(Exception error)
    {
        _lease!.Server.Observe(error);
        if (_lease.Server.IsBroken)
        {
            Log.RollbackFailed(_scope.Pool.Logger, error);
            _scope.OnLost(_lease.Server);
        }

        return _lease.Server.IsBroken;
    }

    public void Save(string savepointName) => OnSavepoint(inner => inner.Save(savepointName));

    public Task SaveAsync(string savepointName, CancellationToken cancellationToken)
        => OnSavepointAsync((inner, token) => inner.SaveAsync(savepointName, token), cancellationToken);

    public void Rollback(string savepointName) => OnSavepoint(inner =>
    {
        inner.Rollback(savepointName);
        _debts?.OnRolledBackToSavepoint();
        _lease!.Server.Settings.OnTransactionEnded(); // What was set after the savepoint is undone.
    });

    public Task RollbackAsync(string savepointName, CancellationToken cancellationToken)
        => OnSavepointAsync(
            async (inner, token) =>
            {
                await inner.RollbackAsync(savepointName, token).ConfigureAwait(false);
                _debts?.OnRolledBackToSavepoint();
                _lease!.Server.Settings.OnTransactionEnded(); // What was set after the savepoint is undone.
            },
            cancellationToken);

    public void Release(string savepointName) => OnSavepoint(inner => inner.Release(savepointName));

    public Task ReleaseAsync(string savepointName, CancellationToken cancellationToken)
        => OnSavepointAsync((inner, token) => inner.ReleaseAsync(savepointName, token), cancellationToken);

    // Settings are left to the next statement: a savepoint needs none, and a failed transaction takes none before it is rolled back to one.
    private void OnSavepoint(Action<NpgsqlTransaction> act)
    {
        ThrowIfDisposed();
        using var entry = _scope.Gate.Enter(Saving, this);
        var binding = Bind(Saving);
        try
        {
            act(_lease!.Inner);
        }
        catch (Exception e)
        {
            binding.Observe(e);
            throw;
        }
        finally
        {
            binding.End();
        }
    }

    private async Task OnSavepointAsync(Func<NpgsqlTransaction, CancellationToken, Task> act, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        using var entry = await _scope.Gate.EnterAsync(Saving, this, cancellationToken).ConfigureAwait(false);
        var binding = await BindAsync(Saving, cancellationToken).ConfigureAwait(false);
        try
        {
            await act(_lease!.Inner, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            binding.Observe(e);
            throw;
        }
        finally
        {
            await binding.EndAsync().ConfigureAwait(false);
        }
    }
}
