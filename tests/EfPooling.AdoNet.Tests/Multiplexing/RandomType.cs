namespace EfPooling.AdoNet.Tests;

/// <summary>A PostgreSQL type, and how literals of it look.</summary>
/// <param name="Name">In SQL.</param>
/// <param name="Literals">Without quotes and casts.</param>
internal sealed record RandomType(string Name, params string[] Literals)
{
    public static IReadOnlyList<RandomType> All { get; } =
    [
        new("smallint", "0", "-32768", "32767"),
        new("integer", "0", "-2147483648", "2147483647"),
        new("bigint", "0", "-9223372036854775808", "9223372036854775807"),
        new("numeric", "0", "1.10", "-123456789.987654321", "NaN"),
        new("numeric(20,4)", "0", "1.1", "-1234567.8901"),
        new("real", "0", "1.5", "NaN", "Infinity"),
        new("double precision", "0", "-1.25e300", "NaN", "-Infinity"),
        new("boolean", "true", "false"),
        new("text", "", "plain", "ünï ☃ 𝄞", "two\nlines"),
        new("varchar(20)", "", "short"),
        new("char(5)", "a", "abcde"),
        new("bytea", "\\x", "\\x00ff10"),
        new("uuid", "00000000-0000-0000-0000-000000000000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        new("date", "2000-01-01", "1969-07-20", "infinity"),
        new("time", "00:00:00", "23:59:59.999999"),
        new("timetz", "12:34:56+02", "00:00:00-11"),
        new("timestamp", "2000-01-01", "1969-07-20 20:17:40.123456", "-infinity"),
        new("timestamptz", "2000-01-01+00", "2024-02-29 12:00:00.5+05:30"),
        new("interval", "1 day", "-02:03:04.5", "3 days 04:05:06"),
        new("json", "{\"a\": [1, null]}", "null"),
        new("jsonb", "{\"b\": {\"c\": \"ü\"}}", "[]"),
        new("integer[]", "{}", "{1,2,3}"),
        new("integer[]", "{{1,2},{3,4}}", "{{5,6}}"),
        new("integer[]", "{1,NULL,3}", "{NULL}"),
        new("text[]", "{a,NULL,\"b c\"}", "{}"),
        new("numeric[]", "{1.5,NaN}", "{}"),
        new("uuid[]", "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}"),
        new("int4range", "empty", "[1,5)", "(,3)"),
        new("tstzrange", "[2000-01-01+00,2001-01-01+00)"),
        new("int4multirange", "{}", "{[1,3),[5,8)}"),
        new("inet", "192.168.1.1", "::1"),
        new("cidr", "10.0.0.0/8"),
        new("macaddr", "08:00:2b:01:02:03"),
        new("point", "(1,2)"),
        new("bit varying", "", "10110"),
        new("mood", "happy", "sad"),
        new("mood[]", "{happy,NULL}"),
        new("pair", "(1,one)", "(,)"),
        new("positive", "1", "99"),
    ];

    /// <summary>A literal, or NULL.</summary>
    public string Value(Random random) => random.Next(4) == 0 ? $"NULL::{Name}" : $"{Quote(Literals[random.Next(Literals.Length)])}::{Name}";

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
