using Npgsql;

namespace EfPooling.AdoNet;

/// <content>What happens to a statement from the moment when it may use the server connection to its end.</content>
internal sealed partial class StatementExecution
{
    /// <summary>It waits for its result slot in a read batch, until <see cref="Enter"/> or <see cref="OnNotShared"/>.</summary>
    public void OnQueuedToShare(BatchedRead read)
    {
        lock (this)
        {
            _batchedRead = read;
        }
    }

    public void OnNotShared()
    {
        lock (this)
        {
            _batchedRead = null;
        }
    }

    /// <summary>From now on the statement may use the server connection, or has its result slot in a read batch; <see cref="End"/> must follow.</summary>
    public void Enter(Binding binding, BatchedRead? read = null, SoloRun? solo = null)
    {
        _solo = solo;
        lock (this)
        {
            _binding = binding;
            _read = read;
            _batchedRead = null;
            _isRunning = true;
        }
    }

    /// <summary>Asks the server to stop what is running, from any thread; does nothing if nothing is.</summary>
    public void Cancel()
    {
        // Keeps away from the end of the lease: a cancel request must never reach the next owner of the server connection.
        lock (this)
        {
            if (_isRunning)
            {
                _binding.Server.Mark(Taint.Suspect);
                if (_read is not null)
                {
                    _read.CancelServer();
                }
                else
                {
                    statement.CancelInner();
                }
            }
            else
            {
                _batchedRead?.CancelInBatch();
            }
        }
    }

    /// <summary>The statement itself is about to be sent.</summary>
    public void OnSending(OperationKind kind)
        => _mayBeCommitted = kind != OperationKind.Prepare && !_binding.IsInTransaction && MayWrite && !_binding.Server.IsAbandoned;

    /// <inheritdoc/>
    public bool IsOutcomeUnknown(Exception error)
        => _mayBeCommitted && _binding.Server.IsBroken && error is not (PostgresException or OperationCanceledException); // The server has answered; the caller has stopped waiting.

    /// <summary>It is about to run again, in a transaction that knows nothing of the first time.</summary>
    public void Restart()
    {
        try
        {
            _binding.Restart();
        }
        catch (Exception e)
        {
            OnFailed(e);
            throw;
        }
    }

    /// <inheritdoc cref="Restart"/>
    public ValueTask RestartAsync()
    {
        return _binding.IsInTransaction ? AwaitAsync() : ValueTask.CompletedTask;

        async ValueTask AwaitAsync()
        {
            try
            {
                await _binding.RestartAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                OnFailed(e);
                throw;
            }
        }
    }

    /// <summary>Running it failed.</summary>
    public void OnFailed(Exception error)
    {
        _hasFailed = true;
        _binding.Observe(error);
        _solo?.OnFailed(error);
    }

    /// <summary>Reading its results failed.</summary>
    public void Observe(Exception error)
    {
        OnFailed(error);
        if (!statement.IsOneTransaction)
        {
            // Npgsql takes a batch with error barriers for read when reading fails, although the answers behind the barrier are still to come.
            _binding.Server.Mark(Taint.Desynchronized);
        }
    }

    public void Suspect() => _binding.Server.Mark(Taint.Suspect);

    /// <summary>A cancel request that the server got after it had finished the statement might still hit the next one.</summary>
    public void NoteLateCancel()
    {
        if (_token.IsCancellationRequested)
        {
            Suspect();
        }
    }

    /// <summary>From now on the lease ends with the command, whose reader was given away, or with the connection.</summary>
    public void Detach()
    {
        _isDetached = true;
        _binding.Server.Settings.OnUnobserved();
        NpgsqlInternals.RenewReader(_binding.Server.Npgsql); // The caller may keep this one.
        SetDetached();
        if (IsOrphaned)
        {
            EndDetached();
        }
    }

    /// <summary>Ends the lease if the reader was given away.</summary>
    public void EndDetached()
    {
        if (_isDetached)
        {
            NoteLateCancel();
            NoteLostAnswer();
            End();
        }
    }

    /// <inheritdoc cref="EndDetached"/>
    public ValueTask EndDetachedAsync()
    {
        if (!_isDetached)
        {
            return ValueTask.CompletedTask;
        }

        NoteLateCancel();
        NoteLostAnswer();
        return EndAsync();
    }

    private void NoteLostAnswer()
    {
        if (_mayBeCommitted && _binding.Server.IsBroken && statement.Host is { } connection)
        {
            connection.OnAnswerLost();
        }
    }

    public void End()
    {
        if (!TryLeave(out var binding))
        {
            return;
        }

        try
        {
            binding.End();
        }
        finally
        {
            Exit();
        }
    }

    public ValueTask EndAsync()
    {
        if (!TryLeave(out var binding))
        {
            return ValueTask.CompletedTask;
        }

        ValueTask ending;
        try
        {
            ending = binding.EndAsync();
        }
        catch
        {
            Exit();
            throw;
        }

        if (!ending.IsCompletedSuccessfully)
        {
            return AwaitAsync(ending);
        }

        Exit();
        return ending;

        async ValueTask AwaitAsync(ValueTask ending)
        {
            try
            {
                await ending.ConfigureAwait(false);
            }
            finally
            {
                Exit();
            }
        }
    }

    private bool TryLeave(out Binding binding)
    {
        lock (this)
        {
            binding = _binding;
            if (!_isRunning)
            {
                return false;
            }

            _isRunning = false;
            _read = null; // A command lives longer than its run.
        }

        _solo?.End();
        _solo = null;
        return true;
    }
}
