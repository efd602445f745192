namespace EfPooling.AdoNet;

/// <summary>A comment at the start of a statement that asks for a server connection of its own. With EF Core: <c>query.TagWith(MultiplexingTag.Off)</c>.</summary>
public static class MultiplexingTag
{
    /// <summary>The statement shares no round trip with statements of other callers.</summary>
    public const string Off = "EfPooling: Multiplexing=Off";

    // Tags come first, as comments. Any other text with these words loses only a shared round trip.
    internal static bool IsIn(string text)
        => text.StartsWith("--", StringComparison.Ordinal) && text.Contains(Off, StringComparison.OrdinalIgnoreCase);
}
