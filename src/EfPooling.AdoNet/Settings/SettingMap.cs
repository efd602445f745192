namespace EfPooling.AdoNet;

/// <summary>Values of session settings by name; settings that are absent have the session's default. Immutable, equal by value.</summary>
internal sealed class SettingMap : IEquatable<SettingMap>
{
    public static readonly SettingMap Empty = new([]);

    private readonly SettingChange[] _settings; // ordered by name, each with a value
    private readonly int _hash;
    private volatile Standing _standing;

    private SettingMap(SettingChange[] settings)
    {
        _settings = settings;
        var hash = default(HashCode);
        foreach (var setting in settings)
        {
            hash.Add(setting);
        }

        _hash = hash.ToHashCode();
    }

    public bool IsEmpty => _settings.Length == 0;

    public ReadOnlySpan<SettingChange> Settings => _settings;

    /// <summary>How much it keeps alive, in characters of two bytes each. Its objects count as 100.</summary>
    public int Length => 100 + _settings.Sum(static setting => 50 + setting.Name.Length + (setting.Value?.Length ?? 0));

    public bool Has(string name) => Array.Exists(_settings, setting => setting.Name == name);

    /// <summary>
    /// A server has refused these values, so it is better to send them alone than ahead of a statement.
    /// </summary>
    public bool IsRefused => _standing == Standing.Refused;

    /// <summary>
    /// A server accepted these values before, or accepts any: an application's own setting (its name has a dot). They may be sent
    /// as a transaction of their own. Its refusal would not keep the server from running the statement behind it.
    /// </summary>
    public bool IsSureToBeAccepted
    {
        get
        {
            if (_standing != Standing.Unknown)
            {
                return _standing == Standing.Accepted;
            }

            foreach (var setting in _settings)
            {
                if (!setting.Name.Contains('.', StringComparison.Ordinal))
                {
                    return false;
                }
            }

            return true;
        }
    }

    public void OnAccepted() => _standing = Standing.Accepted;

    public void OnRefused() => _standing = Standing.Refused;

    /// <summary>The value of a setting; <c>null</c> if it has the session's default.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var setting in _settings)
            {
                if (setting.Name == name)
                {
                    return setting.Value;
                }
            }

            return null;
        }
    }

    /// <param name="name">Lower case.</param>
    /// <param name="value"><c>null</c>: the session's default.</param>
    public SettingMap With(string name, string? value)
    {
        if (this[name] == value)
        {
            return this;
        }

        var others = _settings.Where(setting => setting.Name != name);
        return From(value is null ? others : others.Append(new SettingChange(name, value)));
    }

    /// <summary>These settings and those of <paramref name="stronger"/>, which take precedence.</summary>
    public SettingMap With(SettingMap stronger)
        => stronger.IsEmpty ? this : IsEmpty ? stronger : From(_settings.Where(setting => stronger[setting.Name] is null).Concat(stronger._settings));

    public bool Equals(SettingMap? other)
        => ReferenceEquals(this, other) || (other is not null && _hash == other._hash && Settings.SequenceEqual(other.Settings));

    public override bool Equals(object? obj) => Equals(obj as SettingMap);

    public override int GetHashCode() => _hash;

    private static SettingMap From(IEnumerable<SettingChange> settings)
    {
        var sorted = settings.OrderBy(setting => setting.Name, StringComparer.Ordinal).ToArray();
        return sorted.Length == 0 ? Empty : new SettingMap(sorted);
    }

    private enum Standing
    {
        Unknown,
        Accepted,
        Refused,
    }
}
