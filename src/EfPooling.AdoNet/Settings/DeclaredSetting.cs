namespace EfPooling.AdoNet;

/// <summary>A session setting that every lease of a connection begins with.</summary>
/// <param name="Name">Lower case.</param>
/// <param name="Value">Asked for a connection each time a statement or transaction of it begins.</param>
/// <param name="IsRequired">Without a value nothing runs; otherwise the setting keeps the session's default.</param>
internal sealed record DeclaredSetting(string Name, Func<ISettingsHost, string?> Value, bool IsRequired);
