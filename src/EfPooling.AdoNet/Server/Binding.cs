using EfPooling.AdoNet.Sql;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// A server connection that a statement may use now, and how its use ends: by ending the lease if it was acquired for this
/// statement alone, otherwise by notifying the transaction or session that owns it.
/// </summary>
internal readonly struct Binding
{
    private readonly Lease<ServerConnection> _ownLease;
    private readonly IServerOwner? _owner;

    /// <summary>The statement's own lease.</summary>
    public Binding(Lease<ServerConnection> ownLease)
    {
        _ownLease = ownLease;
        Server = ownLease.Connection;
    }

    /// <summary>A server connection leased by a transaction or session.</summary>
    public Binding(ServerConnection server, IServerOwner owner)
    {
        _owner = owner;
        Server = server;
    }

    public ServerConnection Server { get; }

    public bool IsInTransaction => _owner?.IsTransaction ?? false;

    /// <summary>
    /// Whether a statement that the server refused before it had any effect may run again, after <see cref="Restart"/>.
    /// </summary>
    public bool MayRunAgain => _owner is not { IsTransaction: true } owner || owner.MayRestart;

    /// <summary>Begins the transaction again if its first statement failed; does nothing without a transaction.</summary>
    public void Restart()
    {
        if (IsInTransaction)
        {
            _owner!.Restart();
        }
    }

    /// <inheritdoc cref="Restart"/>
    public Task RestartAsync() => IsInTransaction ? _owner!.RestartAsync() : Task.CompletedTask;

    /// <summary>Ensures that the next statement runs with these settings.</summary>
    /// <param name="wanted">The settings.</param>
    /// <param name="verdict">The verdict on the statement; <c>null</c> if it has no text.</param>
    /// <param name="mayShareTransaction">Whether they may travel with the statement, in its implicit transaction.</param>
    public void ApplySettings(SettingMap wanted, SqlVerdict? verdict, bool mayShareTransaction)
        => Server.EnsureSettings(wanted, Route(mayShareTransaction), isInTransaction: _owner is not null, verdict);

    /// <inheritdoc cref="ApplySettings"/>
    public ValueTask ApplySettingsAsync(SettingMap wanted, SqlVerdict? verdict, bool mayShareTransaction, CancellationToken cancellationToken)
        => Server.EnsureSettingsAsync(wanted, Route(mayShareTransaction), isInTransaction: _owner is not null, cancellationToken, verdict);

    public void Observe(Exception error)
    {
        Server.Observe(error);
        _owner?.OnStatementFailed(error);
        if (Server.IsBroken)
        {
            _owner?.OnServerBroken(error);
        }
    }

    public void End()
    {
        Server.OnStatementEnded();
        if (_owner is null)
        {
            _ownLease.End();
        }
        else
        {
            _owner.OnStatementEnded();
        }
    }

    public ValueTask EndAsync()
    {
        Server.OnStatementEnded();
        return _owner is null ? _ownLease.EndAsync() : _owner.OnStatementEndedAsync();
    }

    private SettingRoute Route(bool mayShareTransaction) => _owner is null && mayShareTransaction ? SettingRoute.WithStatement : SettingRoute.Alone;
}
