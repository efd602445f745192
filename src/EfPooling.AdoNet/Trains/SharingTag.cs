namespace EfPooling.AdoNet;

/// <summary>A comment with which a query asks for a server connection of its own.</summary>
internal static class SharingTag
{
    public const string Off = "EfPooling: Multiplexing=Off";

    // Tags come first, as comments; whatever else contains these words loses nothing but a shared round trip.
    public static bool IsIn(string text)
        => text.StartsWith("--", StringComparison.Ordinal) && text.Contains(Off, StringComparison.OrdinalIgnoreCase);
}
