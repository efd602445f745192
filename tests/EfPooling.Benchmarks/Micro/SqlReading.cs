using BenchmarkDotNet.Attributes;
using EfPooling.AdoNet.Sql;

namespace EfPooling.Benchmarks.Micro;

/// <summary>The verdict on a text: remembered, read anew, and read from a megabyte made to be hard to read.</summary>
public class SqlReading
{
    private readonly string _point = "SELECT i.\"Id\", i.\"Name\", i.\"OwnerId\" FROM \"Items\" AS i WHERE i.\"Id\" = @p0 LIMIT 1";

    private readonly Dictionary<string, string> _hostile = new()
    {
        ["signs"] = "SELECT " + new string('+', SqlTokens.MostCharacters - 7),
        ["parentheses"] = new string('(', SqlTokens.MostCharacters / 8) + "SELECT 1" + new string(')', SqlTokens.MostCharacters / 8),
        ["names"] = "SELECT " + string.Join(',', Enumerable.Range(0, 120_000).Select(i => $"a{i}")),
        ["settings"] = "SELECT " + string.Join(',', Enumerable.Range(0, 30_000).Select(i => $"set_config('app.x{i}','',false)")),
        ["nested settings"] = "SELECT " + string.Concat(Enumerable.Repeat("set_config(a,", 65_000)) + "1" + new string(')', 65_000),
        ["dotted setting"] = "SET a" + string.Concat(Enumerable.Repeat(".a", 130_000)) + " = 1",
        ["block"] = "DO $$BEGIN " + string.Concat(Enumerable.Range(0, 30_000).Select(i => $"PERFORM f{i}() FROM t{i};")) + " END$$",
    };

    public IEnumerable<string> Shapes => _hostile.Keys;

    [Benchmark(Description = "verdict, remembered")]
    public object Remembered() => SqlVerdict.Of(_point);

    [Benchmark(Description = "verdict, read")]
    public object Read() => SqlVerdict.Read(_point);

    [Benchmark(Description = "verdict, a hostile megabyte")]
    [ArgumentsSource(nameof(Shapes))]
    public object Hostile(string shape) => SqlVerdict.Read(_hostile[shape]);
}
