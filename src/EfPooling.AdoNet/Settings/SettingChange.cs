namespace EfPooling.AdoNet;

/// <summary>One session setting to be changed.</summary>
/// <param name="Name">Lower case.</param>
/// <param name="Value"><c>null</c>: back to the default of the session.</param>
internal readonly record struct SettingChange(string Name, string? Value);
