namespace EfPooling.AdoNet;

/// <summary>
/// The session settings that the statements of one logical connection want: those declared, those given to the connection itself, and
/// those that its SQL has set while it was open.
/// </summary>
/// <param name="connection">Handed to the declarations, which give the values.</param>
/// <param name="declared">By the pool and the context.</param>
internal sealed class ConnectionSettings(ISettingsHost connection, DeclaredSettings declared)
{
    private volatile SettingMap _own = SettingMap.Empty; // set by the user, for the life of the object or one use of a pooled context
    private int _use; // of the owner, in which _own was set
    private volatile SettingMap _followed = SettingMap.Empty; // set by SQL, until Close
    private volatile Resolved? _latest;
    private volatile string? _lost; // both written under _gate
    private readonly Lock _gate = new();

    /// <summary>Whether SQL may not change it, because each lease sets it anew.</summary>
    public bool IsDeclared(string name) => declared.Contains(name) || Own[name] is not null;

    /// <summary>Those that are declared, whether they have a value at this moment or not.</summary>
    public IEnumerable<string> DeclaredNames => declared.Settings.ToArray().Select(setting => setting.Name).Union(Own.Settings.ToArray().Select(setting => setting.Name));

    public IEnumerable<string> FollowedNames => _followed.Settings.ToArray().Select(setting => setting.Name);

    /// <summary>The connection's own settings, together with other declarations.</summary>
    public ConnectionSettings DeclaredBy(DeclaredSettings others) => new(connection, others) { _own = Own, _use = _use };

    /// <summary>The same for another connection.</summary>
    public ConnectionSettings For(ISettingsHost other) => new(other, declared) { _own = Own, _use = _use };

    public void SetOwn(string name, string? value) => (_own, _use) = (Own.With(name, value), Use);

    /// <summary>SQL has set it; from now on it goes with the connection.</summary>
    /// <param name="name">Lower case.</param>
    /// <param name="value"><c>null</c>: back to the default.</param>
    /// <param name="opening">The use of the connection in which that was.</param>
    public void Follow(string name, string? value, IOpening opening)
    {
        lock (_gate)
        {
            if (!opening.IsClosed && !IsDeclared(name))
            {
                _followed = _followed.With(name, value);
            }
        }
    }

    /// <summary>From now on they stay with a session that is the connection's own.</summary>
    public void Forget(IEnumerable<string> names)
    {
        lock (_gate)
        {
            foreach (var name in names)
            {
                _followed = _followed.With(name, null);
            }
        }
    }

    /// <summary>SQL has set it, but the connection was lost before anybody knew to what.</summary>
    public void Lose(string name, IOpening opening)
    {
        lock (_gate)
        {
            _lost = opening.IsClosed ? _lost : name;
        }
    }

    public void OnClosed()
    {
        lock (_gate)
        {
            _followed = SettingMap.Empty;
            _lost = null;
        }
    }

    /// <summary>The settings that a statement wants at this moment.</summary>
    /// <exception cref="SessionSettingMissingException">A required one has no value.</exception>
    /// <exception cref="SessionStateException">SQL has set one that was lost with its server connection.</exception>
    public SettingMap Resolve(SettingInterner interner)
    {
        ThrowIfLost();
        var (own, followed, latest) = (Own, _followed, _latest);
        var values = latest is not null && ReferenceEquals(latest.Own, own) && ReferenceEquals(latest.Followed, followed) ? latest.Values : null;
        for (var i = 0; i < declared.Settings.Length; i++)
        {
            var value = ValueOf(declared.Settings[i], own);
            if (values is not null && values[i] == value)
            {
                continue;
            }

            if (values is null || ReferenceEquals(values, latest?.Values))
            {
                var known = values;
                values = new string?[declared.Settings.Length];
                known?.CopyTo(values, 0);
            }

            values[i] = value;
        }

        if (latest is null || !ReferenceEquals(values, latest.Values))
        {
            _latest = latest = new Resolved(own, followed, values ?? [], Map(own, followed, values ?? [], interner));
        }

        return latest.Map;
    }

    // What one user of a pooled context has set must not reach the next.
    private SettingMap Own => _own.IsEmpty || _use == Use ? _own : _own = SettingMap.Empty;

    private int Use => connection.Use;

    private string? ValueOf(DeclaredSetting setting, SettingMap own)
    {
        var value = own[setting.Name] ?? setting.Value(connection);
        return string.IsNullOrEmpty(value) && setting.IsRequired ? throw new SessionSettingMissingException(setting.Name)
            : value is null ? null
            : SettingName.CheckValue(setting.Name, value);
    }

    private SettingMap Map(SettingMap own, SettingMap followed, string?[] values, SettingInterner interner)
    {
        var map = followed;
        for (var i = 0; i < values.Length; i++)
        {
            map = map.With(declared.Settings[i].Name, values[i]);
        }

        return interner.Intern(map.With(own));
    }

    private void ThrowIfLost()
    {
        if (_lost is { } name)
        {
            throw SessionStateException.Lost(name);
        }
    }

    private sealed record Resolved(SettingMap Own, SettingMap Followed, string?[] Values, SettingMap Map);
}
