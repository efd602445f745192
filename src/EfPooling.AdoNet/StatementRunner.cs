using System.Data;
using System.Data.Common;
using System.Runtime.CompilerServices;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Runs a command or batch: claims the logical connection, binds to a server connection, runs, and ends the lease. One place for the
/// order of these steps, whatever the kind of statement and result.
/// </summary>
/// <remarks>Each asynchronous method is one state machine on purpose: this is the path that every query takes.</remarks>
internal sealed class StatementRunner<TInner>(IPooledStatement<TInner> statement) : ILeaseHolder, IReaderLease, ICallSiteSource
{
    private ConnectionBinder? _binder; // whose claim this runner holds
    private Binding _binding; // guarded by the monitor of this for Cancel; otherwise used by the one operation that the claim admits
    private bool _isRunning; // guarded by the monitor of this
    private int _isClaiming; // Interlocked only: 1 from the claim, before there is a binding, until the claim is given up

    // Used by the one operation that the claim admits.
    private bool _isDetached;
    private bool _hasRetried;
    private ApartOperations? _apart; // runs beside the claim if not null
    private CancellationToken _token;
    private SettingMap _wanted = SettingMap.Empty;
    private SqlVerdict? _verdict;
    private Passenger? _passenger; // in place of a server connection of its own

    public LeaseScope Scope { get; private set; }

    public string? Activity => Shorten(statement.Text);

    public Passenger? Passenger => _passenger;

    public object? Affinity => _wanted.IsEmpty ? null : _wanted;

    public ConcurrencyGuard Guard => _binder!.Guard;

    string? ICallSiteSource.Text => statement.Text;

    string? ICallSiteSource.Origin => statement.Origin ?? statement.LogicalConnection?.Origin;

    public TResult Run<TResult>(OperationKind kind, Func<TInner, TResult> execute)
    {
        Begin(LeaseScope.Command, kind);
        try
        {
            while (true)
            {
                try
                {
                    Attach();
                    statement.PrepareIfWanted();
                    return execute(statement.Inner);
                }
                catch (Exception e) when (ShouldRunAgain(e))
                {
                    // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                }
            }
        }
        finally
        {
            End();
        }
    }

    public async Task<TResult> RunAsync<TResult>(OperationKind kind, Func<TInner, CancellationToken, Task<TResult>> execute, CancellationToken cancellationToken)
    {
        await BeginAsync(LeaseScope.Command, kind, mayShare: false, cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                try
                {
                    await AttachAsync().ConfigureAwait(false);
                    await statement.PrepareIfWantedAsync(cancellationToken).ConfigureAwait(false);
                    var result = await execute(statement.Inner, cancellationToken).ConfigureAwait(false);
                    NoteLateCancel();
                    return result;
                }
                catch (Exception e) when (ShouldRunAgain(e))
                {
                    // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                }
            }
        }
        finally
        {
            await EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Like <see cref="Run"/>, but the lease goes on until the reader is closed.</summary>
    public LogicalDataReader Read(OperationKind kind, Func<TInner, CommandBehavior, NpgsqlDataReader> execute, CommandBehavior behavior)
    {
        Begin(LeaseScope.Reader, kind);
        try
        {
            while (true)
            {
                try
                {
                    Attach();
                    statement.PrepareIfWanted();
                    return Wrap(execute(statement.Inner, WithoutClose(behavior)), behavior);
                }
                catch (Exception e) when (ShouldRunAgain(e))
                {
                    // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                }
            }
        }
        catch
        {
            End();
            ToClose(behavior)?.Close();
            throw;
        }
    }

    /// <inheritdoc cref="Read"/>
    public async Task<DbDataReader> ReadAsync(
        OperationKind kind, Func<TInner, CommandBehavior, CancellationToken, Task<NpgsqlDataReader>> execute, CommandBehavior behavior, CancellationToken cancellationToken)
    {
        var mayShare = (behavior & (CommandBehavior.KeyInfo | CommandBehavior.SchemaOnly)) == 0;
        await BeginAsync(LeaseScope.Reader, kind, mayShare, cancellationToken).ConfigureAwait(false);
        if (_passenger is not null)
        {
            return Wrap(_passenger.Reader, behavior);
        }

        try
        {
            while (true)
            {
                try
                {
                    await AttachAsync().ConfigureAwait(false);
                    await statement.PrepareIfWantedAsync(cancellationToken).ConfigureAwait(false);
                    var reader = await execute(statement.Inner, WithoutClose(behavior), cancellationToken).ConfigureAwait(false);
                    NoteLateCancel();
                    return Wrap(reader, behavior);
                }
                catch (Exception e) when (ShouldRunAgain(e))
                {
                    // Npgsql has dropped the outdated statement, so this time it is parsed anew.
                }
            }
        }
        catch
        {
            await EndAsync().ConfigureAwait(false);
            await (ToClose(behavior)?.CloseAsync() ?? Task.CompletedTask).ConfigureAwait(false);
            throw;
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
                if (_passenger is not null)
                {
                    _passenger.CancelServer();
                }
                else
                {
                    statement.CancelInner();
                }
            }
        }
    }

    /// <exception cref="InvalidOperationException">A statement is running.</exception>
    public void ThrowIfRunning()
    {
        if (Volatile.Read(ref _isClaiming) != 0)
        {
            throw new InvalidOperationException("The command is running or waits for a server connection, or its reader is open. Close the reader before changing the command.");
        }
    }

    public void Observe(Exception error)
    {
        _binding.Observe(error);
        if (!statement.IsOneTransaction)
        {
            // Npgsql takes a batch with error barriers for read when reading fails, although the answers behind the barrier are still to come.
            _binding.Server.Mark(Taint.Unresettable);
        }
    }

    public void Suspect() => _binding.Server.Mark(Taint.Suspect);

    public ConcurrentUseException RefuseRead() => _binder!.Claim.Refuse(this, OperationKind.ReadRow, this);

    public void SetReader(LogicalDataReader reader)
    {
        if (_apart is null)
        {
            _binder!.Claim.SetReader(reader);
        }
        else
        {
            _apart.Add(reader);
        }
    }

    public void RemoveReader(LogicalDataReader reader)
    {
        if (_apart is null)
        {
            _binder!.Claim.SetReader(null);
        }
        else
        {
            _apart.Remove(reader);
        }
    }

    /// <summary>From now on the lease ends with the command, whose reader was given away, or with the connection.</summary>
    public void Detach()
    {
        _isDetached = true;
        _binding.Server.Settings.OnUnobserved();
        if (_apart is null)
        {
            _binder!.Claim.SetDetached(this);
        }
    }

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
            Unclaim(_binder!);
        }
    }

    public ValueTask EndAsync()
    {
        if (!TryLeave(out var binding))
        {
            return ValueTask.CompletedTask;
        }

        var ending = binding.EndAsync();
        if (!ending.IsCompletedSuccessfully)
        {
            return AwaitAsync(ending);
        }

        Unclaim(_binder!);
        return ending;

        async ValueTask AwaitAsync(ValueTask ending)
        {
            try
            {
                await ending.ConfigureAwait(false);
            }
            finally
            {
                Unclaim(_binder!);
            }
        }
    }

    private void Begin(LeaseScope scope, OperationKind kind)
    {
        var binder = GetBinder();
        if (!binder.Claim.TryTake(this, kind, this))
        {
            var apart = StepAside(binder, kind, out var isNested);
            BeginApart(binder, apart, scope, CancellationToken.None);
            try
            {
                Prepare(binder);
                Enter(apart.Acquire(this, isNested) ?? throw RefuseFull(binder, kind));
                return;
            }
            catch
            {
                LeaveApart();
                throw;
            }
        }

        Claimed(binder, scope, kind, CancellationToken.None);
        try
        {
            Prepare(binder);
            Enter(binder.Bind(this));
        }
        catch
        {
            Unclaim(binder);
            throw;
        }
    }

    private ValueTask BeginAsync(LeaseScope scope, OperationKind kind, bool mayShare, CancellationToken cancellationToken)
    {
        var binder = GetBinder();
        if (!binder.Claim.TryTake(this, kind, this))
        {
            return BeginBusyAsync(binder, scope, kind, mayShare, cancellationToken);
        }

        Claimed(binder, scope, kind, cancellationToken);
        return EnterAsync(binder, mayShare, cancellationToken);
    }

    private async ValueTask BeginBusyAsync(ConnectionBinder binder, LeaseScope scope, OperationKind kind, bool mayShare, CancellationToken cancellationToken)
    {
        if (binder.Claim.MayWait)
        {
            await binder.Claim.WaitAsync(this, kind, this, cancellationToken).ConfigureAwait(false);
            Claimed(binder, scope, kind, cancellationToken);
            await EnterAsync(binder, mayShare, cancellationToken).ConfigureAwait(false);
            return;
        }

        var apart = StepAside(binder, kind, out var isNested);
        BeginApart(binder, apart, scope, cancellationToken);
        try
        {
            Prepare(binder);
            Enter(await apart.AcquireAsync(this, isNested, cancellationToken).ConfigureAwait(false) ?? throw RefuseFull(binder, kind));
        }
        catch
        {
            LeaveApart();
            throw;
        }
    }

    private ValueTask EnterAsync(ConnectionBinder binder, bool mayShare, CancellationToken cancellationToken)
    {
        ValueTask<Binding> binding;
        try
        {
            Prepare(binder);
            if (mayShare && binder.Pool.Station is { } station && binder.IsUnbound && statement.Shareable is { } command
                && station.TryCreate(command, statement.CommandTimeout, _verdict!, _wanted, this) is { } passenger)
            {
                return BoardAsync(binder, station, passenger, cancellationToken);
            }

            binding = binder.BindAsync(this, cancellationToken);
        }
        catch
        {
            Unclaim(binder);
            throw;
        }

        if (!binding.IsCompletedSuccessfully)
        {
            return AwaitAsync(binding);
        }

        Enter(binding.Result);
        return ValueTask.CompletedTask;

        async ValueTask AwaitAsync(ValueTask<Binding> binding)
        {
            try
            {
                Enter(await binding.ConfigureAwait(false));
            }
            catch
            {
                Unclaim(binder);
                throw;
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask BoardAsync(ConnectionBinder binder, Station station, Passenger passenger, CancellationToken cancellationToken)
    {
        try
        {
            if (await station.BoardAsync(passenger, cancellationToken).ConfigureAwait(false) is { } lease)
            {
                Enter(new Binding(binder.Pool, lease));
            }
            else
            {
                _passenger = passenger;
                Enter(new Binding(binder.Pool, passenger.Server, passenger));
            }
        }
        catch
        {
            Unclaim(binder);
            throw;
        }
    }

    private ConnectionBinder GetBinder()
    {
        var connection = statement.LogicalConnection
            ?? throw new InvalidOperationException("The command has no connection. Set its Connection property, or create it with connection.CreateCommand().");
        if (statement.Disposal is { IsSet: true } disposal)
        {
            throw disposal.Refuse(statement.GetType().Name, connection.Pool?.Guard, "Create another command.");
        }

        return connection.OpenBinder;
    }

    private void Claimed(ConnectionBinder binder, LeaseScope scope, OperationKind kind, CancellationToken cancellationToken)
    {
        if (!binder.Guard.MayStepAside)
        {
            Volatile.Write(ref _isClaiming, 1);
        }
        else if (Interlocked.Exchange(ref _isClaiming, 1) == 1)
        {
            binder.Claim.GiveUp(this);
            throw binder.Claim.Refuse(this, kind, this); // The command itself runs already, beside the claim.
        }

        _apart = null;
        Start(binder, scope, cancellationToken);
    }

    private ApartOperations StepAside(ConnectionBinder binder, OperationKind kind, out bool isNested)
    {
        var apart = binder.Claim.StepAside(this, kind, this, out isNested);
        return Interlocked.CompareExchange(ref _isClaiming, 1, 0) == 0
            ? apart
            : throw binder.Claim.Refuse(this, kind, this); // One command cannot run twice at a time, wherever it runs.
    }

    private void BeginApart(ConnectionBinder binder, ApartOperations apart, LeaseScope scope, CancellationToken cancellationToken)
    {
        _apart = apart;
        Start(binder, scope, cancellationToken);
    }

    private void Start(ConnectionBinder binder, LeaseScope scope, CancellationToken cancellationToken)
    {
        _binder = binder;
        _token = cancellationToken;
        _hasRetried = false;
        _isDetached = false;
        _passenger = null;
        Scope = scope;
    }

    // Before a server connection is acquired: what may not run takes none, and what wants settings prefers one that has them.
    private void Prepare(ConnectionBinder binder)
    {
        _verdict = statement.Verdict;
        _wanted = statement.WantsSettings ? binder.ResolveSettings() : SettingMap.Empty;
        if (_verdict.Effects != SessionEffects.None)
        {
            binder.Session.Admit(_verdict, isApart: _apart is not null); // Last, because it may pin the connection.
        }
    }

    private ConcurrentUseException RefuseFull(ConnectionBinder binder, OperationKind kind)
        => binder.Claim.Refuse(this, kind, this, $"All server connections of pool '{binder.Pool.Name}' are held by callers who would wait for another one in the same way.");

    private void LeaveApart() => Volatile.Write(ref _isClaiming, 0);

    private void Unclaim(ConnectionBinder binder)
    {
        if (_apart is { } apart)
        {
            apart.OnEnded();
            Volatile.Write(ref _isClaiming, 0);
            return;
        }

        Volatile.Write(ref _isClaiming, 0);
        binder.Claim.GiveUp(this);
    }

    private void Enter(Binding binding)
    {
        lock (this)
        {
            _binding = binding;
            _isRunning = true;
        }
    }

    private bool TryLeave(out Binding binding)
    {
        lock (this)
        {
            binding = _binding;
            var wasRunning = _isRunning;
            _isRunning = false;
            return wasRunning;
        }
    }

    private void Attach()
    {
        _binder!.Session.OnAttaching(_binding.Server);
        if (_binding.IsInTransaction && _binding.Server.HasChangesOfOthers(_binder!))
        {
            _binding.Server.ReadChangesBack(isInTransaction: true);
        }

        _binding.ApplySettings(_wanted, MayShareTransaction);
        AttachInner();
    }

    private ValueTask AttachAsync()
    {
        _binder!.Session.OnAttaching(_binding.Server);
        if (_binding.IsInTransaction && _binding.Server.HasChangesOfOthers(_binder!))
        {
            return ReadBackAndAttachAsync();
        }

        var applying = _binding.ApplySettingsAsync(_wanted, MayShareTransaction, _token);
        if (!applying.IsCompletedSuccessfully)
        {
            return ApplyAndAttachAsync();
        }

        AttachInner();
        return applying;

        async ValueTask ReadBackAndAttachAsync()
        {
            await _binding.Server.ReadChangesBackAsync(isInTransaction: true).ConfigureAwait(false);
            await _binding.ApplySettingsAsync(_wanted, MayShareTransaction, _token).ConfigureAwait(false);
            AttachInner();
        }

        async ValueTask ApplyAndAttachAsync()
        {
            await applying.ConfigureAwait(false);
            AttachInner();
        }
    }

    private void AttachInner()
    {
        statement.Attach(_binding.Server.Npgsql);
        _binder!.Session.Expect(_verdict!, _binding.Server);
    }

    // Settings may travel with it.
    private bool MayShareTransaction => _verdict!.CanShareTransaction && statement.IsOneTransaction;

    private LogicalDataReader Wrap(NpgsqlDataReader inner, CommandBehavior behavior)
        => new(inner, this, ToClose(behavior), behavior.HasFlag(CommandBehavior.SingleRow));

    // The connection that is to be closed together with a reader of this behaviour.
    private LogicalConnection? ToClose(CommandBehavior behavior) => behavior.HasFlag(CommandBehavior.CloseConnection) ? statement.LogicalConnection : null;

    private static CommandBehavior WithoutClose(CommandBehavior behavior) => behavior & ~CommandBehavior.CloseConnection;

    // A cancel request that the server got after it had finished the statement might still hit the next one.
    private void NoteLateCancel()
    {
        if (_token.IsCancellationRequested)
        {
            Suspect();
        }
    }

    // "cached plan must not change result type" is worth one more attempt outside a transaction; inside, it has failed the transaction.
    // The message may be translated, the routine's name is not.
    private bool ShouldRunAgain(Exception error)
    {
        if (error is PostgresException { SqlState: PostgresErrorCodes.FeatureNotSupported, Routine: "RevalidateCachedQuery" }
            && !_hasRetried && !_binding.IsInTransaction && _verdict!.Effects == SessionEffects.None && statement.IsOneTransaction)
        {
            _hasRetried = true;
            _binding.Server.Settings.OnStatementFailed(serverAnswered: true);
            _binding.ReportStalePlan();
            return true;
        }

        _binding.Observe(error);
        return false;
    }

    private static string? Shorten(string? text)
    {
        const int Limit = 120;
        var line = text?.ReplaceLineEndings(" ").Trim();
        return line?.Length > Limit ? string.Concat(line.AsSpan(0, Limit - 1), "…") : line;
    }
}
