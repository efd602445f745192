using System.Runtime.CompilerServices;
using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What is remembered of texts and settings has a bound in bytes, however many and however large they are. Counts what a collection leaves alive.</summary>
public sealed class KeptBytesTests
{
    private const int Sampled = 100_000; // of very many only so many are looked for
    private const long MostBytes = 64_000_000;

    [Fact]
    public void AMillionTexts_KeepLittle()
        => AssertTextsKeepLittle(1_000_000, i => $"SELECT a, b, c FROM some_table WHERE id = {i} AND name = 'x{i}'", most: 16_000_000);

    [Fact]
    public void LongTexts_KeepLittle() => AssertTextsKeepLittle(5_000, i => $"SELECT {i}, '{new string('x', 8_000)}'", MostBytes);

    [Fact]
    public void TextsOfAMegabyte_KeepLittle() => AssertTextsKeepLittle(200, i => $"SELECT {i}, '{new string('x', 1_000_000)}'", most: 16_000_000);

    [Fact]
    public void TextsWithManyNames_KeepLittle()
        => AssertTextsKeepLittle(500, i => $"SELECT {string.Join(',', Enumerable.Range(0, 1_500).Select(n => $"a{n}"))}, {i}", MostBytes);

    [Fact]
    public void AMillionTenants_KeepLittle() => AssertSettingsKeepLittle(1_000_000, i => $"{i}");

    [Fact]
    public void LargeSettings_KeepLittle() => AssertSettingsKeepLittle(9_999, i => i + new string('x', 20_000));

    private static void AssertTextsKeepLittle(int count, Func<int, string> text, long most)
    {
        var cache = new VerdictCache();
        var bytes = BytesAlive(count, Fill(count, i => cache.Get(text(i))), verdict => 4L * verdict.Length); // The table by object has texts of its own.
        GC.KeepAlive(cache);
        Assert.InRange(bytes, 1, most);
    }

    private static void AssertSettingsKeepLittle(int count, Func<int, string> value)
    {
        var interner = new SettingInterner();
        var bytes = BytesAlive(count, Fill(count, i => interner.Intern(SettingMap.Empty.With("app.claims", value(i)))), map => 2L * map.Length);
        GC.KeepAlive(interner);
        Assert.InRange(bytes, 1, 16_000_000);
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // so that nothing is left on the stack
    private static List<WeakReference<T>> Fill<T>(int count, Func<int, T> get)
        where T : class
    {
        var sample = new List<WeakReference<T>>();
        for (var i = 0; i < count; i++)
        {
            var made = get(i);
            if (i % Math.Max(1, count / Sampled) == 0)
            {
                sample.Add(new WeakReference<T>(made));
            }
        }

        return sample;
    }

    private static long BytesAlive<T>(int count, List<WeakReference<T>> sample, Func<T, long> bytes)
        where T : class
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return count / sample.Count * sample.Sum(reference => reference.TryGetTarget(out var alive) ? bytes(alive) : 0);
    }
}
