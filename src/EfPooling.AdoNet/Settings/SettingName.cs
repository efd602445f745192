using System.Text;
using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>Names of PostgreSQL's session settings ("Parameter Names and Values" and "Customized Options" in the PostgreSQL manual).</summary>
internal static class SettingName
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // Npgsql relies on these for reading and writing, or tracks them itself.
    private static readonly string[] Npgsqls = ["client_encoding", "standard_conforming_strings", "integer_datetimes", "server_encoding"];

    /// <summary>The name as PostgreSQL compares it.</summary>
    /// <exception cref="ArgumentException">It is not a name, or the setting must not be changed.</exception>
    public static string Parse(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var parsed = SqlSetting.NameOf(name);
        if (!parsed.Split('.').All(IsIdentifier))
        {
            throw new ArgumentException($"'{name}' is not the name of a session setting. A name is made of letters, digits and underscores, one of your own has a prefix and a dot: app.tenant_id.", nameof(name));
        }

        if (Npgsqls.Contains(parsed) || parsed.StartsWith("transaction_", StringComparison.Ordinal) || parsed == SqlSetting.Seed)
        {
            throw new ArgumentException($"'{name}' cannot be a session setting of a pooled connection: Npgsql or the transaction decides about it, or it cannot be read back.", nameof(name));
        }

        return parsed;
    }

    /// <exception cref="ArgumentException">PostgreSQL cannot store the value.</exception>
    public static string CheckValue(string name, string value)
    {
        if (value.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException($"The value of the session setting '{name}' contains a zero character, which PostgreSQL cannot store.", nameof(value));
        }

        try
        {
            Strict.GetByteCount(value);
            return value;
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException($"The value of the session setting '{name}' contains half of a surrogate pair, which PostgreSQL cannot store.", nameof(value), e);
        }
    }

    private static bool IsIdentifier(string part)
        => part.Length > 0 && !char.IsAsciiDigit(part[0]) && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' || c >= 0x80);
}
