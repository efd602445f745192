namespace EfPooling.AdoNet;

/// <summary>A session setting that every lease of a connection begins with.</summary>
/// <param name="Name">Lower case.</param>
/// <param name="Value">Called with the connection each time one of its statements or transactions begins.</param>
/// <param name="IsRequired">
/// Whether statements without a value are refused. If not, the setting keeps the session's default.
/// </param>
internal sealed record DeclaredSetting(string Name, Func<ISettingsHost, string?> Value, bool IsRequired);
