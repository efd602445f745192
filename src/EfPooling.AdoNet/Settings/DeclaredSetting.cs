namespace EfPooling.AdoNet;

/// <summary>A session setting that every lease of a connection begins with.</summary>
/// <param name="Name">Lower case.</param>
/// <param name="Value">Asked each time a statement or transaction begins.</param>
/// <param name="IsRequired">Without a value nothing runs; else the setting keeps the session's default.</param>
internal sealed record DeclaredSetting(string Name, Func<object, string?> Value, bool IsRequired);
