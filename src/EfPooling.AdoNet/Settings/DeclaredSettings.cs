namespace EfPooling.AdoNet;

/// <summary>
/// The declared settings of a pool or context. Immutable. All are equal, so that options which differ in nothing else are equal: the
/// settings belong to the connections, and contexts that declare other values (or captured other services) share a pool.
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

    /// <summary>These and <paramref name="stronger"/>, which win.</summary>
    public DeclaredSettings With(DeclaredSettings stronger)
        => stronger.IsEmpty ? this : IsEmpty ? stronger : new([.. _settings.Where(setting => !stronger.Contains(setting.Name)), .. stronger._settings]);

    /// <summary>The same names for connections that have no context to ask for the values: what is required is missing.</summary>
    public DeclaredSettings WithoutValues() => IsEmpty ? this : new([.. _settings.Select(setting => setting with { Value = static _ => null })]);

    public bool Equals(DeclaredSettings? other) => other is not null;

    public override bool Equals(object? obj) => obj is DeclaredSettings;

    public override int GetHashCode() => 0;
}
