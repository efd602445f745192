using System.Runtime.CompilerServices;

namespace EfPooling.AdoNet.Tests;

/// <summary>The statements of <c>statements.txt</c>.</summary>
internal static class SqlCorpus
{
    public static IReadOnlyList<SqlCorpusEntry> Entries { get; } = [.. Lines().Select(Parse)];

    private static IEnumerable<string> Lines()
        => File.ReadLines(Path.Combine(Folder(), "statements.txt")).Where(line => line.Length > 0 && line[0] != '#');

    private static SqlCorpusEntry Parse(string line)
    {
        foreach (var use in Enum.GetValues<SqlCorpusUse>())
        {
            var mark = $"[{use switch { SqlCorpusUse.Fails => "fails", SqlCorpusUse.Begin => "begin", SqlCorpusUse.NoRun => "no run", _ => "run" }}] ";
            if (line.StartsWith(mark, StringComparison.Ordinal))
            {
                return new SqlCorpusEntry(line, Unescape(line[mark.Length..]), use);
            }
        }

        return new SqlCorpusEntry(line, Unescape(line), SqlCorpusUse.Run);
    }

    private static string Unescape(string text)
        => text.Replace(@"\\", "\0", StringComparison.Ordinal).Replace(@"\n", "\n", StringComparison.Ordinal)
            .Replace(@"\u00A0", "\u00A0", StringComparison.Ordinal).Replace('\0', '\\');

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
