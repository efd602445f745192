using System.Collections.Frozen;

namespace EfPooling.AdoNet.Sql;

/// <summary>A fixed set of words, compared without case. The one place to change for targets that lack frozen collections.</summary>
internal sealed class WordTable(string words)
{
    private readonly FrozenSet<string> _words = words
        .Split([' ', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries)
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public bool Contains(string word) => _words.Contains(word);
}
