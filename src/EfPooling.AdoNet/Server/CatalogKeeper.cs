using System.Data;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet.Sql;

/// <summary>
/// The catalog of one pool and how far it can be trusted. It is read on the first server connection, compared with the database
/// at the end of leases, and read again when the database has changed. While it is unknown, every statement is suspect.
/// Thread-safe.
/// </summary>
/// <remarks>
/// A judgement counts once the database was seen unchanged after the first use of its text. Until then the end of the lease
/// checks the database, or resets the session. Earlier judgements are trusted for the interval at most.
/// </remarks>
internal sealed class CatalogKeeper : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30); // after the catalog could not be read

    private readonly CatalogSource _source;
    private readonly TrustedObjects _trusted;
    private readonly TimeSpan _interval;
    private readonly ILogger _logger;
    private readonly ITimer? _timer;
    private readonly Lock _gate = new(); // held while the next two change
    private volatile SqlCatalog _current = SqlCatalog.Unknown;
    private volatile bool _isDue = true; // a check or a load of the catalog is required
    private int _isLoading; // Interlocked only
    private IReadOnlySet<string>? _settingClasses; // written once

    /// <param name="source">Asks the server.</param>
    /// <param name="trusted">The objects that the user vouches for.</param>
    /// <param name="interval">
    /// How long the database is assumed to be unchanged; infinite: until <see cref="Load"/>; zero: not at all.
    /// </param>
    /// <param name="time">The pool's clock.</param>
    /// <param name="logger">Receives failures.</param>
    public CatalogKeeper(CatalogSource source, TrustedObjects trusted, TimeSpan interval, TimeProvider time, ILogger logger)
    {
        _source = source;
        _trusted = trusted;
        _interval = interval;
        _logger = logger;
        _timer = time.CreateTimer(static keeper => ((CatalogKeeper)keeper!)._isDue = true, this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public SqlCatalog Current => _current;

    /// <summary>
    /// Prefixes of the settings that libraries had defined at the first load of the catalog, on a fresh session; <c>null</c>
    /// before.
    /// </summary>
    public IReadOnlySet<string>? SettingClasses => Volatile.Read(ref _settingClasses);

    /// <summary>Whether the judgement can be trusted.</summary>
    public bool Believes(Judgement judgement) => _interval == Timeout.InfiniteTimeSpan || judgement.IsConfirmed;

    /// <summary>
    /// Whether the end of the lease must check the database: the judgement is not trusted yet, or the interval is over.
    /// </summary>
    public bool WantsCheck(Judgement judgement) => !Believes(judgement) || _interval == TimeSpan.Zero || TakeDue();

    /// <summary>
    /// Whether the interval is over, so that the caller's lease must check the database at its end. True for one caller only.
    /// </summary>
    public bool TakeDue()
    {
        if (!_isDue || !_current.IsKnown)
        {
            return false;
        }

        Rest(_interval);
        return true;
    }

    /// <summary>A lease could not make its required check. The next lease must make it.</summary>
    public void OnNotChecked() => _isDue = true;

    /// <summary>Whether the catalog is not known and may be read now.</summary>
    public bool WantsLoad => _isDue && !_current.IsKnown;

    /// <summary>
    /// Reads the catalog if it is unknown, unless another caller reads it or a read failed a short while ago. After a failure
    /// every statement stays suspect.
    /// </summary>
    public void EnsureLoaded(NpgsqlConnection connection)
    {
        if (!TryBeginLoad())
        {
            return;
        }

        try
        {
            Load(connection);
        }
        catch (Exception e) when (IsPassing(e, connection))
        {
            OnFailed(e);
        }
        finally
        {
            Volatile.Write(ref _isLoading, 0);
        }
    }

    /// <inheritdoc cref="EnsureLoaded"/>
    public async Task EnsureLoadedAsync(NpgsqlConnection connection)
    {
        if (!TryBeginLoad())
        {
            return;
        }

        try
        {
            await LoadAsync(connection, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (IsPassing(e, connection))
        {
            OnFailed(e);
        }
        finally
        {
            Volatile.Write(ref _isLoading, 0);
        }
    }

    /// <summary>Reads the catalog again.</summary>
    /// <exception cref="NpgsqlException">The server did not answer as expected.</exception>
    public void Load(NpgsqlConnection connection) => OnLoaded(_source.Load(connection, _trusted));

    /// <inheritdoc cref="Load"/>
    public async Task LoadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
        => OnLoaded(await _source.LoadAsync(connection, _trusted, cancellationToken).ConfigureAwait(false));

    /// <summary>Forgets the catalog until the next server connection reads it again. For an unused pool.</summary>
    public void Drop()
    {
        lock (_gate)
        {
            _current = SqlCatalog.Unknown;
            _isDue = true;
        }
    }

    /// <summary>
    /// Checks that the database matches the catalog. If it does not, or if the check fails, every statement is suspect until the
    /// catalog has been read again.
    /// </summary>
    /// <returns>Whether it matches. Then the judgements by this catalog until now are confirmed.</returns>
    public bool Check(NpgsqlConnection connection)
    {
        if (!TryBegin(out var catalog, out var check))
        {
            return false;
        }

        try
        {
            return End(catalog, check, _source.ReadVersion(connection));
        }
        catch (Exception e) when (IsPassing(e, connection))
        {
            OnFailed(e);
            return false;
        }
    }

    /// <inheritdoc cref="Check"/>
    public async Task<bool> CheckAsync(NpgsqlConnection connection)
    {
        if (!TryBegin(out var catalog, out var check))
        {
            return false;
        }

        try
        {
            return End(catalog, check, await _source.ReadVersionAsync(connection).ConfigureAwait(false));
        }
        catch (Exception e) when (IsPassing(e, connection))
        {
            OnFailed(e);
            return false;
        }
    }

    public void Dispose() => _timer?.Dispose();

    // If the connection is still open, the failure is absorbed; otherwise its user must learn of it. In both cases the next
    // attempt waits.
    private bool IsPassing(Exception error, NpgsqlConnection connection)
    {
        if (NpgsqlInternals.GetFullState(connection) == ConnectionState.Open)
        {
            return true;
        }

        OnFailed(error);
        return false;
    }

    private bool TryBeginLoad() => WantsLoad && Interlocked.CompareExchange(ref _isLoading, 1, 0) == 0;

    private bool TryBegin(out SqlCatalog catalog, out int check)
    {
        catalog = _current;
        check = catalog.IsKnown ? catalog.BeginCheck() : 0;
        return catalog.IsKnown;
    }

    private bool End(SqlCatalog catalog, int check, long version)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_current, catalog))
            {
                return false; // Another caller has found a change meanwhile.
            }

            if (version == catalog.Version)
            {
                catalog.Confirm(check);
                Rest(_interval);
                return true;
            }

            _current = SqlCatalog.Unknown;
            _isDue = true;
        }

        Log.CatalogChanged(_logger);
        return false;
    }

    private void OnLoaded(SqlCatalog catalog)
    {
        Interlocked.CompareExchange(ref _settingClasses, catalog.SettingClasses, null);
        lock (_gate)
        {
            _current = catalog;
            Rest(_interval);
        }
    }

    private void OnFailed(Exception error)
    {
        lock (_gate)
        {
            _current = SqlCatalog.Unknown;
            Rest(Pause);
        }

        Log.CatalogRefused(_logger, error);
    }

    private void Rest(TimeSpan pause)
    {
        _isDue = false;
        if (pause != Timeout.InfiniteTimeSpan)
        {
            _timer!.Change(pause, Timeout.InfiniteTimeSpan);
        }
    }
}
