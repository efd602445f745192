namespace EfPooling.AdoNet;

/// <summary>
/// The declared settings of a pool or context. Immutable. Equal if they declare the same names, whatever the values. Contexts
/// that captured other services share a pool; contexts that declare nothing do not share one that requires a setting.
/// </summary>
internal sealed class DeclaredSettings : IEquatable<DeclaredSettings>
{
    public static readonly DeclaredSettings None = new([]);

    private readonly DeclaredSetting[] _settings;

    private DeclaredSettings(DeclaredSetting[] settings) => _settings = settings;

    public bool IsEmpty => _settings.Length == 0;

    public ReadOnlySpan<DeclaredSetting> Settings => _settings;

    public bool Contains(string name) => Array.Exists(_settings, setting => setting.Name == name);

    /// <summary>A setting of the same name is replaced.</summary>
    public DeclaredSettings With(DeclaredSetting setting) => new([.. _settings.Where(other => other.Name != setting.Name), setting]);

    /// <summary>These settings and <paramref name="stronger"/>, which take precedence.</summary>
    public DeclaredSettings With(DeclaredSettings stronger)
        => stronger.IsEmpty ? this : IsEmpty ? stronger : new([.. _settings.Where(setting => !stronger.Contains(setting.Name)), .. stronger._settings]);

    /// <summary>The same names for connections without a context to give the values: required settings are missing.</summary>
    public DeclaredSettings WithoutValues() => IsEmpty ? this : new([.. _settings.Select(setting => setting with { Value = static _ => null })]);

    public bool Equals(DeclaredSettings? other)
        => other is not null && _settings.Length == other._settings.Length
            && Array.TrueForAll(_settings, mine => Array.Exists(other._settings, its => its.Name == mine.Name && its.IsRequired == mine.IsRequired));

    public override bool Equals(object? obj) => Equals(obj as DeclaredSettings);

    public override int GetHashCode() => _settings.Aggregate(0, static (hash, setting) => hash ^ setting.Name.GetHashCode(StringComparison.Ordinal)); // Independent of the order.
}
