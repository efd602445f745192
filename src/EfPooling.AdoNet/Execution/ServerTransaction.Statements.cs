using System.Data;
using System.Runtime.CompilerServices;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <content>What a statement of the transaction gets: the server connection, for which the first one begins it, and the command of the one before.</content>
internal sealed partial class ServerTransaction
{
    private const int MostParameters = 32; // A list of a command that has been longer stays so.

    bool IServerOwner.IsTransaction => true;

    bool IServerOwner.MayRestart => _isFirst && _state == State.OnServer;

    void IServerOwner.Restart() => _lease!.Restart(IsolationLevel);

    Task IServerOwner.RestartAsync() => _lease!.RestartAsync(IsolationLevel);

    /// <summary>Lets the server connection on which the transaction runs stay with its logical connection afterwards.</summary>
    /// <returns><c>null</c>: there is none yet.</returns>
    public PinnedSession? TryPin(PinReason reason) => _lease?.Pin(_scope, reason);

    /// <summary>Lets a text run that makes something in the session, if it can be seen whether the transaction ends it again.</summary>
    public bool TryOwe(SqlVerdict verdict, PinReason reason) => (_debts ??= new SessionDebts()).TryAdd(verdict, reason);

    /// <summary>A text without a need of its own may end what others have made, or bring it back.</summary>
    public void OnDebtsChanged(SqlVerdict verdict) => _debts?.OnChanged(verdict);

    public Binding Bind(ILeaseHolder activity)
    {
        ThrowIfUnusable();
        _activity = activity;
        _isFirst = _state == State.Begun;
        if (_state == State.Begun)
        {
            var wanted = _scope.ResolveSettings();
            var lease = _scope.LeaseForTransaction(this);
            lease.Begin(_isolationLevel, wanted);
            OnStarted(lease);
        }

        return new Binding(_lease!.Server, this);
    }

    public ValueTask<Binding> BindAsync(ILeaseHolder activity, CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        _activity = activity;
        _isFirst = _state == State.Begun;
        return _state == State.Begun ? BeginAndBindAsync(cancellationToken) : new ValueTask<Binding>(new Binding(_lease!.Server, this));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Binding> BeginAndBindAsync(CancellationToken cancellationToken)
    {
        var wanted = _scope.ResolveSettings();
        var lease = await _scope.LeaseForTransactionAsync(this, cancellationToken).ConfigureAwait(false);
        await lease.BeginAsync(_isolationLevel, wanted, cancellationToken).ConfigureAwait(false);
        OnStarted(lease);
        return new Binding(lease.Server, this);
    }

    void IServerOwner.OnServerBroken(Exception cause)
    {
        if (_state == State.OnServer)
        {
            _brokenBy = cause;
            _state = State.Broken;
            _hasBroken = true;
        }

        if (_lease is { } lease)
        {
            _scope.OnLost(lease.Server);
        }
    }

    void IServerOwner.OnStatementEnded()
    {
        if (_state == State.Broken || _isAbandoned)
        {
            Abandon();
        }
    }

    ValueTask IServerOwner.OnStatementEndedAsync()
        => _state == State.Broken || _isAbandoned ? AbandonAsync() : ValueTask.CompletedTask;

    private void OnStarted(TransactionLease lease)
    {
        (_lease, _state) = (lease, State.OnServer);
        lease.Server.Holder = _scope;
    }

    /// <summary>
    /// The Npgsql command of the last statement of the transaction, for the next one: with its lists, it is a good part of what a short statement allocates.
    /// It never leaves the transaction, as Npgsql's own never leaves the connection. Thread-safe.
    /// </summary>
    /// <returns>A command like new; <c>null</c> if there is none.</returns>
    public NpgsqlCommand? TakeCommand() => Interlocked.Exchange(ref _cached, null);

    /// <summary>For a command that has run without an error, whose reader is closed and that nobody uses any more.</summary>
    /// <returns>Whether it is taken, and nothing is left in it.</returns>
    public bool TryGiveCommand(NpgsqlCommand command)
    {
        if (_state == State.Ended || Volatile.Read(ref _cached) is not null || command.CommandType != CommandType.Text || command.UpdatedRowSource != UpdateRowSource.Both
            || command.Parameters.Count > MostParameters)
        {
            return false;
        }

        command.Parameters.Clear();
        command.CommandText = "";
        command.Connection = null;
        Interlocked.CompareExchange(ref _cached, command, null);
        return true;
    }
}
