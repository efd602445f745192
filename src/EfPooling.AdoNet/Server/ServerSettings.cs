namespace EfPooling.AdoNet;

/// <summary>
/// What is known of the session settings of one server connection: those in force, and those that are in doubt because the statement
/// that carried them failed or was not seen to succeed. Used by the holder of the lease only.
/// </summary>
/// <remarks>
/// The rule that keeps tenants apart: settings are believed to be in force only after the server has answered, and whatever could
/// have undone them (a failed statement, the end of a transaction in which they were changed, a reader that was given away)
/// puts them in doubt again. What is in doubt is set again, or set back, before the next statement runs.
/// </remarks>
internal sealed class ServerSettings
{
    private SettingMap _inForce = SettingMap.Empty;
    private SettingMap? _sent; // ahead of a statement whose outcome is not known yet
    private HashSet<string>? _doubtful; // names
    private HashSet<string>? _disturbed; // names that the statement behind _sent may change in its turn
    private HashSet<string>? _revocable; // names changed, or set back, in a transaction that is still open
    private bool _isOwnTransaction; // of _sent: the failure of the statement does not undo it

    /// <summary>For acquiring a connection that has these settings; <c>null</c> if it has none, or is in doubt.</summary>
    public object? Affinity => _inForce.IsEmpty || _doubtful is not null ? null : _inForce;

    public bool HasSent => _sent is not null;

    /// <summary>Those in force and those in doubt.</summary>
    public IReadOnlyCollection<string> Names => _doubtful is null && _inForce.IsEmpty ? [] : KnownNames(SettingMap.Empty);

    /// <summary>In force, or sure to be when the next statement runs: a refusal of what was sent ahead of BEGIN closes the connection.</summary>
    public bool Are(SettingMap wanted)
        => _sent is null ? _doubtful is null && wanted.Equals(_inForce) : _isOwnTransaction && _disturbed is null && wanted.Equals(_sent);

    /// <summary>
    /// What must be set to get from here to there. A role goes first if it is given up, because what follows may be forbidden to
    /// it, and last if it is taken on.
    /// </summary>
    public List<SettingChange> ChangesTo(SettingMap wanted)
    {
        var names = KnownNames(wanted);
        names.RemoveWhere(name => _doubtful?.Contains(name) != true && _inForce[name] == wanted[name]);
        if (names.Contains("session_authorization") && wanted["role"] is not null)
        {
            names.Add("role"); // The server takes it away with the session's user.
        }

        return [.. names.Select(name => new SettingChange(name, wanted[name])).OrderBy(Rank).ThenBy(change => change.Name, StringComparer.Ordinal)];
    }

    /// <summary>The changes are about to be made; until they are <see cref="Confirmed"/> they are in doubt.</summary>
    public void Changing(SettingMap wanted) => (_doubtful, _sent, _disturbed) = (KnownNames(wanted), null, null);

    /// <summary>The changes travel ahead of a statement.</summary>
    /// <param name="wanted">What they lead to.</param>
    /// <param name="inOwnTransaction">They are a transaction of their own, so that nothing undoes them; otherwise the failure of the statement does.</param>
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

    /// <param name="hasAnswered">Whether the server has answered to all that was sent. A savepoint, for one, is not sent at once.</param>
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

    /// <param name="serverAnswered">The error came from the server, and the connection is alive.</param>
    /// <returns>What had been sent and may have been refused.</returns>
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

    /// <summary>Nobody can tell whether the statement failed: its results are read elsewhere, or a cancel request was sent.</summary>
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

    /// <summary>All settings were set back.</summary>
    public void OnReset() => (_inForce, _sent, _doubtful, _disturbed, _revocable) = (SettingMap.Empty, null, null, null, null);

    /// <summary>Something other than <see cref="ChangesTo"/> has changed a setting to this value.</summary>
    /// <param name="name">Lower case.</param>
    /// <param name="value"><c>null</c>: the session's default.</param>
    /// <param name="isInTransaction">A transaction is open, whose end might undo it.</param>
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

    /// <summary>The owner of the session changes them as it likes, and they are set back with the session. None of them is declared.</summary>
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
