namespace EfPooling.AdoNet;

/// <summary>
/// What is known of the session settings of one server connection: those in force, and those in doubt because the statement
/// that carried them failed or was not seen to succeed. Used by the holder of the lease only.
/// </summary>
/// <remarks>
/// The rule that separates tenants: settings count as in force only after the server has answered. Everything that could
/// have undone them (a failed statement, the end of a transaction that changed them, a reader that was handed out)
/// puts them in doubt again. A setting in doubt is set or restored before the next statement runs.
/// </remarks>
internal sealed class ServerSettings
{
    private SettingMap _inForce = SettingMap.Empty;
    private SettingMap? _sent; // ahead of a statement whose outcome is unknown
    private HashSet<string>? _doubtful; // names
    private HashSet<string>? _disturbed; // names that the statement behind _sent may change in turn
    private HashSet<string>? _revocable; // names changed or restored in a transaction that is still open
    private bool _isOwnTransaction; // of _sent: the failure of the statement does not undo it

    /// <summary>For acquiring a connection with these settings; <c>null</c> if it has none, or is in doubt.</summary>
    public object? Affinity => _inForce.IsEmpty || _doubtful is not null ? null : _inForce;

    public bool HasSent => _sent is not null;

    /// <summary>The settings in force and in doubt.</summary>
    public IReadOnlyCollection<string> Names => _doubtful is null && _inForce.IsEmpty ? [] : KnownNames(SettingMap.Empty);

    /// <summary>
    /// Whether they are in force, or certain to be when the next statement runs: a refusal of settings sent ahead of BEGIN closes
    /// the connection.
    /// </summary>
    public bool Are(SettingMap wanted)
        => _sent is null ? _doubtful is null && wanted.Equals(_inForce) : _isOwnTransaction && _disturbed is null && wanted.Equals(_sent);

    /// <summary>
    /// The changes that lead to the wanted settings. Resetting a role comes first, because that role may not be allowed to make
    /// the other changes. Taking on a role comes last.
    /// </summary>
    public List<SettingChange> ChangesTo(SettingMap wanted)
    {
        var names = KnownNames(wanted);
        names.RemoveWhere(name => _doubtful?.Contains(name) != true && _inForce[name] == wanted[name]);
        if (names.Contains("session_authorization") && wanted["role"] is not null)
        {
            names.Add("role"); // The server resets it together with the session's user.
        }

        return [.. names.Select(name => new SettingChange(name, wanted[name])).OrderBy(Rank).ThenBy(change => change.Name, StringComparer.Ordinal)];
    }

    /// <summary>The changes are about to be made. Until they are <see cref="Confirmed"/> they are in doubt.</summary>
    public void Changing(SettingMap wanted) => (_doubtful, _sent, _disturbed) = (KnownNames(wanted), null, null);

    /// <summary>The changes travel ahead of a statement.</summary>
    /// <param name="wanted">The settings after them.</param>
    /// <param name="inOwnTransaction">
    /// Whether they are a transaction of their own, so that nothing undoes them. If not, the failure of the statement does.
    /// </param>
    public void Sent(SettingMap wanted, bool inOwnTransaction)
    {
        Changing(wanted);
        _sent = wanted;
        _isOwnTransaction = inOwnTransaction;
    }

    /// <summary>The server has carried out the changes.</summary>
    public void Confirmed(SettingMap wanted, bool isInTransaction)
    {
        if (isInTransaction)
        {
            _revocable = [.. _revocable ?? [], .. _doubtful ?? []];
        }

        (_inForce, _sent, _doubtful, _disturbed) = (wanted, null, _disturbed, null);
        wanted.OnAccepted();
    }

    /// <param name="hasAnswered">
    /// Whether the server has answered everything that was sent. For example, a savepoint is not sent at once.
    /// </param>
    public void OnStatementSucceeded(bool hasAnswered)
    {
        if (_sent is not null && hasAnswered)
        {
            Confirmed(_sent, isInTransaction: false);
        }
        else if (!_isOwnTransaction)
        {
            _sent = null;
        }
    }

    /// <param name="serverAnswered">Whether the error came from the server and the connection is alive.</param>
    /// <returns>The settings that had been sent and may have been refused.</returns>
    public SettingMap? OnStatementFailed(bool serverAnswered)
    {
        var sent = _sent;
        if (serverAnswered && _isOwnTransaction)
        {
            OnStatementSucceeded(hasAnswered: true);
        }

        _sent = null;
        return sent;
    }

    /// <summary>The outcome of the statement is unknown: its results are read elsewhere, or a cancel request was sent.</summary>
    public void OnUnobserved()
    {
        if (!_isOwnTransaction)
        {
            _sent = null;
        }
    }

    /// <summary>A transaction ended, or was rolled back to a savepoint.</summary>
    public void OnTransactionEnded()
    {
        _sent = null;
        DoubtRevocable();
        _revocable = null;
    }

    /// <summary>SQL is about to end a transaction, or a part of it.</summary>
    public void DoubtRevocable() => Doubt(_revocable ?? []);

    /// <summary>All settings were restored to their defaults.</summary>
    public void OnReset() => (_inForce, _sent, _doubtful, _disturbed, _revocable) = (SettingMap.Empty, null, null, null, null);

    /// <summary>Something other than <see cref="ChangesTo"/> has changed a setting to this value.</summary>
    /// <param name="name">Lower case.</param>
    /// <param name="value"><c>null</c>: the session's default.</param>
    /// <param name="isInTransaction">Whether a transaction is open, whose end might undo it.</param>
    public void Learn(string name, string? value, bool isInTransaction)
    {
        if (isInTransaction)
        {
            (_revocable ??= []).Add(name);
        }

        _inForce = _inForce.With(name, value);
        _doubtful?.Remove(name);
        _doubtful = _doubtful?.Count > 0 ? _doubtful : null;
    }

    /// <summary>
    /// Stops tracking settings. The owner of the session changes them freely, and they are restored with the session. None of
    /// them is declared.
    /// </summary>
    public void Forget(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            _inForce = _inForce.With(name, null);
            _sent = _sent?.With(name, null);
            _doubtful?.Remove(name);
            _disturbed?.Remove(name);
            _revocable?.Remove(name);
        }

        _doubtful = _doubtful?.Count > 0 || _sent is not null ? _doubtful : null;
    }

    /// <summary>Something other than <see cref="ChangesTo"/> may change these settings.</summary>
    public void Doubt(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            (_doubtful ??= []).Add(name);
            if (_sent is not null)
            {
                (_disturbed ??= []).Add(name);
            }
        }
    }

    private HashSet<string> KnownNames(SettingMap wanted)
    {
        var names = _doubtful is null ? [] : new HashSet<string>(_doubtful);
        foreach (var setting in _inForce.Settings)
        {
            names.Add(setting.Name);
        }

        foreach (var setting in wanted.Settings)
        {
            names.Add(setting.Name);
        }

        return names;
    }

    private static int Rank(SettingChange change) => (change.Name, change.Value) switch
    {
        ("role", null) => 0,
        ("session_authorization", _) => 1,
        ("role", _) => 3,
        _ => 2,
    };
}
