using System.Runtime.CompilerServices;

namespace EfPooling.Testing;

/// <summary>
/// Compares a text with the approved one in <c>ClassName.MethodName.verified.txt</c> beside the test: Verify's file convention, so that
/// Verify can take over by changing this file only.
/// </summary>
public static class Snapshots
{
    /// <summary>
    /// Passes if the approved text is the same. Otherwise writes <c>*.received.txt</c> beside it and throws; approve by renaming that file.
    /// </summary>
    /// <param name="text">What the test produced. Line ends do not matter.</param>
    /// <param name="suffix">Tells the cases of a theory apart: <c>ClassName.MethodName_suffix.verified.txt</c>.</param>
    /// <param name="sourceFile">The caller's file, named like its class. Do not pass.</param>
    /// <param name="method">The caller. Do not pass.</param>
    public static void Verify(string text, string? suffix = null, [CallerFilePath] string sourceFile = "", [CallerMemberName] string method = "")
    {
        var stem = Path.Combine(
            Path.GetDirectoryName(sourceFile)!,
            $"{Path.GetFileNameWithoutExtension(sourceFile)}.{method}{(suffix is null ? "" : "_" + suffix)}");
        var (verified, received) = (stem + ".verified.txt", stem + ".received.txt");
        var actual = Normalise(text);
        var expected = File.Exists(verified) ? Normalise(File.ReadAllText(verified)) : null;
        if (actual == expected)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, actual);
        throw new SnapshotMismatchException(verified, received, expected, actual);
    }

    private static string Normalise(string text) => text.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";
}
