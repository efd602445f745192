namespace EfPooling.Testing;

/// <summary>A text differs from the approved one. The message shows the first difference.</summary>
public sealed class SnapshotMismatchException : Exception
{
    internal SnapshotMismatchException(string verified, string received, string? expected, string actual)
        : base($"{Describe(expected, actual)}\nApproved: {verified}\nReceived: {received}\nIf the received text is right, let it replace the approved one.")
    {
    }

    private static string Describe(string? expected, string actual)
    {
        if (expected is null)
        {
            return "There is no approved text yet.";
        }

        var (before, after) = (expected.Split('\n'), actual.Split('\n'));
        var line = before.Zip(after).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"Line {line + 1} differs.\nApproved: {before.ElementAtOrDefault(line)}\nReceived: {after.ElementAtOrDefault(line)}";
    }
}
