using System.Runtime.CompilerServices;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Microsoft.Extensions.Logging;

namespace EfPooling.AdoNet;

/// <summary>
/// What the floors below the public faces may ask of "the pool": its options, its clock, its server connections, and the
/// knowledge about its database. Thread-safe.
/// </summary>
/// <param name="options">Checked, and never changed again.</param>
/// <param name="engine">The pool of server connections.</param>
/// <param name="catalogs">What is known of the database, and how far it can be trusted.</param>
/// <param name="time">The pool's clock.</param>
/// <param name="logger">The pool's logger.</param>
internal sealed class PoolContext(
    TransactionPoolingOptions options, ServerConnectionPool<ServerConnection> engine, CatalogKeeper catalogs, TimeProvider time, ILogger logger)
{
    private readonly PinCounters _pins = new();

    public TransactionPoolingOptions Options => options;

    public CatalogKeeper Catalogs => catalogs;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    /// <summary>The pool's name in logs, exceptions and snapshots.</summary>
    public required string Name { get; init; }

    /// <summary>The database of the connections.</summary>
    public required string Database { get; init; }

    /// <summary>Host and port.</summary>
    public required string Server { get; init; }

    /// <summary>In seconds, for commands without a time-out of their own.</summary>
    public required int CommandTimeout { get; init; }

    /// <summary>
    /// Kept alive by everything that works for the pool. A pool without references closes (<see cref="PoolLifeline"/>).
    /// </summary>
    public required object Owner { get; init; }

    /// <summary>
    /// Checks whether the pool is used; <c>null</c> if it is always kept. Written before any other flow has the pool.
    /// </summary>
    public PoolIdleWatch? IdleWatch { get; set; }

    public SettingInterner SettingInterner { get; } = new();

    /// <summary>What is known of the database at this moment.</summary>
    public SqlCatalog Catalog => catalogs.Current;

    /// <summary>Whether a logical connection gets another server connection each time.</summary>
    public bool Shuffles => options.Shuffles;

    /// <inheritdoc cref="ServerConnectionPool{T}.IsBusy"/>
    public bool IsBusy => engine.IsBusy;

    /// <summary>The time of the pool's clock, for <see cref="AcquireAsync"/>.</summary>
    public long Now => engine.Now;

    /// <summary>How often a connection was given a session of its own, by reason; reasons that never occurred are absent.</summary>
    public IReadOnlyDictionary<PinReason, long> GetPins() => _pins.ToDictionary();

    public void EnsureReachable() => engine.EnsureReachable();

    public ValueTask EnsureReachableAsync(CancellationToken cancellationToken) => engine.EnsureReachableAsync(cancellationToken);

    /// <inheritdoc cref="ServerConnectionPool{T}.ThrowIfDisabled"/>
    public void ThrowIfDisabled() => engine.ThrowIfDisabled();

    /// <param name="holder">Named in diagnostics while the lease runs.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="last">The holder's previous server connection, which it must not get again in shuffle mode.</param>
    /// <param name="since">When the holder began to wait, by <see cref="Now"/>; <c>null</c>: now.</param>
    public Lease<ServerConnection> Acquire(ILeaseHolder holder, CancellationToken cancellationToken, ServerConnection? last = null, long? since = null)
    {
        var started = since ?? engine.Now;
        for (var isAdmitted = false; ; isAdmitted = true)
        {
            var lease = engine.Acquire(holder, started, cancellationToken, isAdmitted);
            var isFit = false;
            try
            {
                isFit = IsFit(lease.Connection, last) && (!lease.Connection.NeedsRenewal(Catalog) || lease.Connection.TryRenew(Catalog));
                if (isFit)
                {
                    return lease;
                }
            }
            finally
            {
                RetireUnless(isFit, lease);
            }
        }
    }

    /// <inheritdoc cref="Acquire"/>
    /// <param name="holder">Named in diagnostics while the lease runs.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="last">The holder's previous server connection, which it must not get again in shuffle mode.</param>
    /// <param name="since">When the holder began to wait, by <see cref="Now"/>; <c>null</c>: now.</param>
    /// <param name="isAdmitted">Whether the holder was admitted before (<see cref="ThrowIfDisabled"/>), and waits on.</param>
    public ValueTask<Lease<ServerConnection>> AcquireAsync(
        ILeaseHolder holder, CancellationToken cancellationToken, ServerConnection? last = null, long? since = null, bool isAdmitted = false)
    {
        var started = since ?? engine.Now;
        var acquiring = engine.AcquireAsync(holder, started, cancellationToken, isAdmitted);
        if (!acquiring.IsCompletedSuccessfully)
        {
            return AcquireFitAsync(acquiring, holder, last, started, cancellationToken);
        }

        var ready = acquiring.Result;
        return IsFit(ready.Connection, last) && !ready.Connection.NeedsRenewal(Catalog)
            ? new ValueTask<Lease<ServerConnection>>(ready)
            : AcquireFitAsync(new ValueTask<Lease<ServerConnection>>(ready), holder, last, started, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Lease<ServerConnection>> AcquireFitAsync(
        ValueTask<Lease<ServerConnection>> first, ILeaseHolder holder, ServerConnection? last, long started, CancellationToken cancellationToken)
    {
        var lease = await first.ConfigureAwait(false);
        while (true)
        {
            var isFit = false;
            try
            {
                isFit = IsFit(lease.Connection, last) && (!lease.Connection.NeedsRenewal(Catalog) || await lease.Connection.TryRenewAsync(Catalog).ConfigureAwait(false));
                if (isFit)
                {
                    return lease;
                }
            }
            finally
            {
                RetireUnless(isFit, lease);
            }

            lease = await engine.AcquireAsync(holder, started, cancellationToken, isAdmitted: true).ConfigureAwait(false);
        }
    }

    private bool IsFit(ServerConnection server, ServerConnection? last)
        => server.IsReady && (last is null || !ReferenceEquals(server, last) || options.MaxPoolSize == 1);

    // Not fit: Npgsql's keepalive found it dead while it was idle, it could not be reset, or its host is no longer the right one.
    private void RetireUnless(bool isFit, Lease<ServerConnection> lease)
    {
        if (!isFit)
        {
            lease.Retire(lease.Connection switch
            {
                { IsReady: false } => RetireReason.Broken,
                { IsMisplaced: true } => RetireReason.HostRules,
                { Taint: Taint.None } when Shuffles => RetireReason.Shuffled,
                _ => RetireReason.ResetFailed,
            });
        }
    }

    /// <param name="reason">Why a connection is pinned.</param>
    /// <param name="statement">The statement or purpose that required it.</param>
    public void ReportPin(PinReason reason, string? statement)
    {
        _pins.Count(reason);
        if (reason == PinReason.SessionMode)
        {
            Log.SessionModePinned(logger, Name);
        }
        else
        {
            Log.Pinned(logger, Name, reason, statement);
        }
    }
}
