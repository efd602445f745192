using System.Data;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Runs a command or batch: claims the logical connection, binds to a server connection, runs, and ends the lease. One place for the
/// order of these steps, whatever the kind of statement and result.
/// </summary>
internal sealed class StatementRunner<TInner>(IPooledStatement<TInner> statement) : ILeaseHolder, IReaderLease
{
    // Keeps Cancel() away from the end of the lease: a cancel request must never reach the next owner of the server connection.
    private readonly Lock _cancelGate = new();
    private ConnectionBinder? _binder; // whose claim this runner holds
    private Binding _binding; // guarded by _cancelGate for Cancel; otherwise used by the one operation that the claim admits
    private bool _isRunning; // guarded by _cancelGate
    private bool _isDetached; // used by the one operation that the claim admits
    private CancellationToken _token; // used by the one operation that the claim admits

    public LeaseScope Scope { get; private set; }

    public string? Activity => Shorten(statement.Text);

    public TResult Run<TResult>(Func<TInner, TResult> execute)
    {
        Begin(LeaseScope.Command);
        try
        {
            return Execute(static (inner, execute) => execute(inner), execute);
        }
        finally
        {
            End();
        }
    }

    public async Task<TResult> RunAsync<TResult>(Func<TInner, CancellationToken, Task<TResult>> execute, CancellationToken cancellationToken)
    {
        await BeginAsync(LeaseScope.Command, cancellationToken).ConfigureAwait(false);
        try
        {
            return await ExecuteAsync(static (inner, execute, token) => execute(inner, token), execute, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Like <see cref="Run"/>, but the lease goes on until <see cref="End"/> if it succeeds.</summary>
    public NpgsqlDataReader Read(Func<TInner, CommandBehavior, NpgsqlDataReader> execute, CommandBehavior behavior)
    {
        Begin(LeaseScope.Reader);
        try
        {
            return Execute(execute, WithoutClose(behavior));
        }
        catch
        {
            End();
            throw;
        }
    }

    /// <inheritdoc cref="Read"/>
    public async Task<NpgsqlDataReader> ReadAsync(
        Func<TInner, CommandBehavior, CancellationToken, Task<NpgsqlDataReader>> execute, CommandBehavior behavior, CancellationToken cancellationToken)
    {
        await BeginAsync(LeaseScope.Reader, cancellationToken).ConfigureAwait(false);
        try
        {
            return await ExecuteAsync(execute, WithoutClose(behavior), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await EndAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <exception cref="InvalidOperationException">A statement is running.</exception>
    public void ThrowIfRunning()
    {
        if (_isRunning)
        {
            throw new InvalidOperationException("The command is running, or its reader is open. Close the reader before changing the command.");
        }
    }

    public void Observe(Exception error) => _binding.Observe(error);

    public void Suspect() => _binding.Server.Mark(Taint.Suspect);

    public void SetReader(LogicalDataReader? reader) => _binder!.SetReader(reader);

    /// <summary>From now on the lease ends with the command, whose reader was given away.</summary>
    public void Detach() => _isDetached = true;

    /// <summary>Ends the lease if the reader was given away.</summary>
    public void EndDetached()
    {
        if (_isDetached)
        {
            NoteLateCancel();
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
        return EndAsync();
    }

    public void End()
    {
        if (TryLeave(out var binding))
        {
            try
            {
                binding.End();
            }
            finally
            {
                _binder!.Unclaim(this);
            }
        }
    }

    public async ValueTask EndAsync()
    {
        if (TryLeave(out var binding))
        {
            try
            {
                await binding.EndAsync().ConfigureAwait(false);
            }
            finally
            {
                _binder!.Unclaim(this);
            }
        }
    }

    /// <summary>Asks the server to stop what is running, from any thread; does nothing if nothing is.</summary>
    public void Cancel()
    {
        lock (_cancelGate)
        {
            if (_isRunning)
            {
                _binding.Server.Mark(Taint.Suspect);
                statement.CancelInner();
            }
        }
    }

    private void Begin(LeaseScope scope)
    {
        var binder = Claim(scope);
        try
        {
            Enter(binder.Bind(this));
        }
        catch
        {
            binder.Unclaim(this);
            throw;
        }
    }

    private async ValueTask BeginAsync(LeaseScope scope, CancellationToken cancellationToken)
    {
        var binder = Claim(scope);
        try
        {
            Enter(await binder.BindAsync(this, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            binder.Unclaim(this);
            throw;
        }
    }

    private ConnectionBinder Claim(LeaseScope scope)
    {
        var connection = statement.LogicalConnection
            ?? throw new InvalidOperationException("The command has no connection. Set its Connection property, or create it with connection.CreateCommand().");
        var binder = connection.OpenBinder;
        binder.Claim(this);
        _binder = binder;
        Scope = scope;
        return binder;
    }

    private void Enter(Binding binding)
    {
        lock (_cancelGate)
        {
            _binding = binding;
            _isRunning = true;
            _isDetached = false;
        }
    }

    private bool TryLeave(out Binding binding)
    {
        lock (_cancelGate)
        {
            binding = _binding;
            var wasRunning = _isRunning;
            _isRunning = false;
            return wasRunning;
        }
    }

    private TResult Execute<TState, TResult>(Func<TInner, TState, TResult> execute, TState state)
    {
        var mayRetry = MayRetry;
        while (true)
        {
            try
            {
                Attach();
                statement.PrepareIfWanted();
                return execute(statement.Inner, state);
            }
            catch (PostgresException e) when (mayRetry && IsStalePlan(e))
            {
                mayRetry = false; // Npgsql has dropped the statement, so this time it is parsed anew.
                _binding.ReportStalePlan();
            }
            catch (Exception e)
            {
                _binding.Observe(e);
                throw;
            }
        }
    }

    private async Task<TResult> ExecuteAsync<TState, TResult>(
        Func<TInner, TState, CancellationToken, Task<TResult>> execute, TState state, CancellationToken cancellationToken)
    {
        _token = cancellationToken;
        var mayRetry = MayRetry;
        while (true)
        {
            try
            {
                Attach();
                await statement.PrepareIfWantedAsync(cancellationToken).ConfigureAwait(false);
                var result = await execute(statement.Inner, state, cancellationToken).ConfigureAwait(false);
                NoteLateCancel();
                return result;
            }
            catch (PostgresException e) when (mayRetry && IsStalePlan(e))
            {
                mayRetry = false; // Npgsql has dropped the statement, so this time it is parsed anew.
                _binding.ReportStalePlan();
            }
            catch (Exception e)
            {
                _binding.Observe(e);
                throw;
            }
        }
    }

    // A cancel request that the server got after it had finished the statement might still hit the next one.
    private void NoteLateCancel()
    {
        if (_token.IsCancellationRequested)
        {
            Suspect();
        }
    }

    private static CommandBehavior WithoutClose(CommandBehavior behavior) => behavior & ~CommandBehavior.CloseConnection;

    private void Attach()
    {
        statement.Attach(_binding.Server.Npgsql);
        if (statement.Effects is var effects and not Taint.None)
        {
            _binding.Server.Mark(effects);
        }
    }

    // Inside a transaction the error has already failed the transaction.
    private bool MayRetry => !_binding.IsInTransaction && statement.IsAtomic;

    // "cached plan must not change result type"; the message may be translated, the routine's name is not.
    private static bool IsStalePlan(PostgresException e)
        => e.SqlState == PostgresErrorCodes.FeatureNotSupported && e.Routine == "RevalidateCachedQuery";

    private static string? Shorten(string? text)
    {
        const int Limit = 120;
        var line = text?.ReplaceLineEndings(" ").Trim();
        return line?.Length > Limit ? string.Concat(line.AsSpan(0, Limit - 1), "…") : line;
    }
}
