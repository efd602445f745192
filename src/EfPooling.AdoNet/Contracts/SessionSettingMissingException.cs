namespace EfPooling.AdoNet;

/// <summary>A required session setting has no value. Nothing was sent to the server.</summary>
public sealed class SessionSettingMissingException : InvalidOperationException
{
    internal SessionSettingMissingException(string name)
        : base($"The required session setting '{name}' has no value, so nothing was sent to the server. Give it one where it is declared (SessionSetting(\"{name}\", …)) or on the connection (SetSessionSetting), for example by setting the tenant before the first query.")
        => SettingName = name;

    /// <summary>The setting's name.</summary>
    public string SettingName { get; }
}
