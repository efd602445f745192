using System.Text;

namespace EfPooling.AdoNet;

/// <summary>Names of channels: PostgreSQL identifiers, taken literally.</summary>
internal static class ChannelName
{
    private const int MaxBytes = 63; // NAMEDATALEN - 1

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="ArgumentException">The name cannot be the name of a channel.</exception>
    public static string Check(string channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        if (channel.Length == 0)
        {
            throw new ArgumentException("The name of a channel cannot be empty.", nameof(channel));
        }

        if (channel.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("The name of a channel cannot contain a NUL character.", nameof(channel));
        }

        // LISTEN would silently truncate a longer name and listen to another channel.
        var bytes = CountBytes(channel);
        return bytes <= MaxBytes
            ? channel
            : throw new ArgumentException($"The name of a channel has {bytes} bytes in UTF-8; PostgreSQL allows {MaxBytes}.", nameof(channel));
    }

    /// <summary>The name as an identifier in SQL: capitals stay capitals, and no part of it is syntax.</summary>
    public static string Quote(string channel) => $"\"{channel.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static int CountBytes(string channel)
    {
        try
        {
            return Strict.GetByteCount(channel);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("The name of a channel has half of a surrogate pair in it, which no encoding can express.", nameof(channel), e);
        }
    }
}
