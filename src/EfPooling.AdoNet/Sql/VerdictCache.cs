using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Remembers the verdicts on texts. Texts are usually few and recur as the same object, so a table by object answers in a few
/// nanoseconds. If they are many (values pasted into SQL), the oldest are forgotten, half of them at a time. The memory is
/// bounded: under 64 MB, whatever the texts. Thread-safe.
/// </summary>
internal sealed class VerdictCache(int limit = VerdictCache.DefaultLimit)
{
    private const int DefaultLimit = 5_000;
    private const int Ways = 1024;
    private const int LongText = 8_192; // characters kept alive; a table by object would keep too many of them

    private readonly Known?[] _byObject = new Known?[Ways]; // reference writes only: any mixture of old and new is right
    private readonly TextBudget _budget = new(limit); // of the young ones
    private ConcurrentDictionary<string, Known> _young = new(); // swapped under no lock: a lost entry is read again
    private ConcurrentDictionary<string, Known> _old = new(); // as _young

    public SqlVerdict Get(string sql)
    {
        if (sql.Length > LongText)
        {
            return sql.Length > SqlTokens.MostCharacters ? SqlVerdict.Read(sql) : GetByValue(sql).Verdict; // A text this long is not even read.
        }

        ref var place = ref _byObject[RuntimeHelpers.GetHashCode(sql) & (Ways - 1)];
        var known = Volatile.Read(ref place);
        if (known is not null && ReferenceEquals(known.Text, sql))
        {
            return known.Verdict;
        }

        known = GetByValue(sql);
        if (known.Verdict.Length > LongText)
        {
            return known.Verdict;
        }

        Volatile.Write(ref place, ReferenceEquals(known.Text, sql) ? known : new Known(sql, known.Verdict));
        return known.Verdict;
    }

    private Known GetByValue(string sql)
    {
        if (_young.TryGetValue(sql, out var known))
        {
            return known;
        }

        if (!_old.TryGetValue(sql, out known))
        {
            known = new Known(sql, SqlVerdict.Read(sql));
        }

        if (!_budget.TryTake(known.Verdict.Length))
        {
            _old = _young;
            _young = new();
        }

        _young[sql] = known;
        return known;
    }

    private sealed class Known(string text, SqlVerdict verdict)
    {
        public string Text { get; } = text;

        public SqlVerdict Verdict { get; } = verdict;
    }
}
