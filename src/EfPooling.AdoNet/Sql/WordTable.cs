namespace EfPooling.AdoNet.Sql;

/// <summary>A fixed set of words. Compares without the case of ASCII letters and without creating strings. Immutable.</summary>
internal sealed class WordTable
{
    private readonly string[][] _buckets; // by hash, a power of two
    private readonly int _longest;

    public WordTable(string words)
    {
        var all = words.Split([' ', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var size = 4;
        while (size < 2 * all.Length)
        {
            size *= 2;
        }

        _buckets = [.. Enumerable.Range(0, size).Select(_ => Array.Empty<string>())];
        foreach (var word in all)
        {
            ref var bucket = ref _buckets[Hash(word, 0, word.Length) & (size - 1)];
            bucket = [.. bucket, word];
            _longest = Math.Max(_longest, word.Length);
        }
    }

    public bool Contains(string word) => Contains(word, 0, word.Length);

    public bool Contains(string text, int start, int length)
    {
        if (length > _longest)
        {
            return false;
        }

        foreach (var word in _buckets[Hash(text, start, length) & (_buckets.Length - 1)])
        {
            if (SqlCharacters.AreEqual(text, start, length, word))
            {
                return true;
            }
        }

        return false;
    }

    private static int Hash(string text, int start, int length)
    {
        var hash = length;
        for (var i = start; i < start + length; i++)
        {
            hash = unchecked((hash * 31) + SqlCharacters.ToLower(text[i]));
        }

        return hash ^ (hash >> 11);
    }
}
