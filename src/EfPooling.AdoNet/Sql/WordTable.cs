#if NET
using System.Collections.Frozen;
#endif

namespace EfPooling.AdoNet.Sql;

/// <summary>A fixed set of words, compared without case. The one place that differs where there are no frozen collections (the analyzers).</summary>
internal sealed class WordTable(string words)
{
#if NET
    private readonly FrozenSet<string> _words = Split(words).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
#else
    private readonly HashSet<string> _words = new(Split(words), StringComparer.OrdinalIgnoreCase);
#endif

    public bool Contains(string word) => _words.Contains(word);

    private static string[] Split(string words) => words.Split([' ', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
}
