namespace EfPooling.AdoNet;

/// <summary>
/// The session settings that the statements of one logical connection require: declared settings, settings given to the
/// connection itself, and settings that its SQL has set while it was open.
/// </summary>
/// <param name="connection">Passed to the declarations, which return the values.</param>
/// <param name="declared">The declarations of the pool and the context.</param>
internal sealed class ConnectionSettings(ISettingsHost connection, DeclaredSettings declared)
{
    private volatile SettingMap _own = SettingMap.Empty; // set by the user, for the life of the object or one use of a pooled context
    private int _use; // use of the owner in which _own was set
    private volatile SettingMap _followed = SettingMap.Empty; // set by SQL, until Close
    private volatile Resolved? _latest;
    private volatile string? _lost; // both written under _gate
    private readonly Lock _gate = new();

    /// <summary>Whether SQL must not change the setting, because each lease sets it anew.</summary>
    public bool IsDeclared(string name) => declared.Contains(name) || Own[name] is not null;

    /// <summary>The names of all declared settings, with or without a value at this moment.</summary>
    public IEnumerable<string> DeclaredNames => declared.Settings.ToArray().Select(setting => setting.Name).Union(Own.Settings.ToArray().Select(setting => setting.Name));

    public IEnumerable<string> FollowedNames => _followed.Settings.ToArray().Select(setting => setting.Name);

    /// <summary>The connection's own settings, together with other declarations.</summary>
    public ConnectionSettings DeclaredBy(DeclaredSettings others) => new(connection, others) { _own = Own, _use = _use };

    /// <summary>The same for another connection.</summary>
    public ConnectionSettings For(ISettingsHost other) => new(other, declared) { _own = Own, _use = _use };

    public void SetOwn(string name, string? value) => (_own, _use) = (Own.With(name, value), Use);

    /// <summary>Records that SQL has set the setting. From now on it belongs to the connection.</summary>
    /// <param name="name">Lower case.</param>
    /// <param name="value"><c>null</c>: back to the default.</param>
    /// <param name="opening">The use of the connection in which SQL set it.</param>
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

    /// <summary>Forgets followed settings. From now on the connection's own session keeps them.</summary>
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

    /// <summary>Records that SQL has set the setting, but the connection was lost before the value was known.</summary>
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

    /// <summary>The settings that a statement requires at this moment.</summary>
    /// <exception cref="SessionSettingMissingException">A required setting has no value.</exception>
    /// <exception cref="SessionStateException">A setting that SQL had set was lost with its server connection.</exception>
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

    // The values of one user of a pooled context must not reach the next user.
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
