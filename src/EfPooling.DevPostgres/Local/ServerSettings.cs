using System.Globalization;

namespace EfPooling.Dev.Local;

/// <summary>The settings that a local server is started with.</summary>
internal static class ServerSettings
{
    /// <summary>The caller's settings, then those that keep the server to this machine; they win.</summary>
    public static IReadOnlyDictionary<string, string> For(DevPostgresOptions options) =>
        new Dictionary<string, string>(options.Settings, StringComparer.OrdinalIgnoreCase)
        {
            ["max_connections"] = options.MaxConnections.ToString(CultureInfo.InvariantCulture),
            ["listen_addresses"] = "127.0.0.1",
            ["unix_socket_directories"] = "",
            ["logging_collector"] = "off", // the log is what the server writes to standard error
        };
}
