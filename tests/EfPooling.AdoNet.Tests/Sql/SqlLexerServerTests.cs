using System.Text;
using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Names and constants in all their forms are what the server makes of them.</summary>
public sealed class SqlLexerServerTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const int Seed = 20_251_130;
    private const int Rounds = 3_000;

    private static readonly string[] Letters = ["a", "Z", "k", "É", "é", "ß", "\u212A", "ſ", "İ", "ı", "漢", "_", "\u00A0", "😀"];
    private static readonly string[] Signs = ["1", "$", " ", "'", "''", "\"\"", "\"\"\"\"", "\\", "!", "-- ", "/*", ".", "\n", ";"];
    private static readonly string[] Escapes = ["0041", "00e9", "D83D?DE00", "+01F600", "+00006b", "?", "006", "D83D", "DE00", "0000", "+110000"];
    private static readonly string[] Backslashes = ["n", "t", "'", "\\", "101", "7", "x41", "x4", "xz", "u0041", "uD83D\\uDE00", "U0001F600", "8", "u12", "v", "q", "351", "000"];

    // What follows U&"…" or U&'…', with the escape that it leads to.
    private static readonly (string Clause, char Escape)[] Clauses =
    [
        ("", '\\'), ("", '\\'), (" UESCAPE '!'", '!'), ("uescape'#'", '#'), (" /* a */ UESCAPE -- b\n E'!'", '!'), (" UESCAPE $$!$$", '!'), (" UESCAPE $a$#$a$", '#'),
        (" UESCAPE E'\\041'", '!'), (" UESCAPE '' \n '!'", '!'), (" UESCAPE '+'", '+'), (" UESCAPE 'a'", 'a'), (" UESCAPE '!!'", '!'), (" UESCAPE U&'!'", '!'), (" UESCAPE N'!'", '!'), (" UESCAPE", '\\'),
        (" UESCAPE 'é'", 'é'), (" UESCAPE '!' UESCAPE '!'", '!'),
    ];

    [Fact]
    public async Task Names_AreThoseOfTheServer()
    {
        var random = new Random(Seed);
        await using var connection = await OpenPlainAsync();
        var known = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var sql = "SELECT 1 AS " + Name(random);
            var tokens = new SqlTokens(sql);
            if (await AskAsync(connection, sql) is not { } answer)
            {
                continue;
            }

            Assert.True(tokens.IsBroken || (tokens.Count == 4 && tokens.Name(3) == answer.Name), $"seed {Seed}, round {round}: {sql} is {answer.Name}, not {tokens.Name(3)}");
            known += tokens.IsBroken ? 0 : 1;
        }

        Assert.InRange(known, Rounds / 2, Rounds);
    }

    [Fact]
    public async Task Constants_AreThoseOfTheServer()
    {
        var random = new Random(Seed);
        await using var connection = await OpenPlainAsync();
        var known = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var sql = "SELECT " + Constant(random);
            var tokens = new SqlTokens(sql);
            if (await AskAsync(connection, sql) is not { } answer)
            {
                continue;
            }

            Assert.True(tokens.IsBroken || tokens.Count == 2, $"seed {Seed}, round {round}: {sql} is {tokens.Count} tokens");
            Assert.True(tokens.IsBroken || tokens.Constant(1) is null || tokens.Constant(1) == answer.Value, $"seed {Seed}, round {round}: {sql} is {answer.Value}, not {tokens.Constant(1)}");
            known += tokens.IsBroken || tokens.Constant(1) is null ? 0 : 1;
        }

        Assert.InRange(known, Rounds / 3, Rounds);
    }

    [Theory]
    [InlineData(63, 63)]
    [InlineData(64, 63)]
    [InlineData(70, 63)]
    public async Task Setting_IsCutOff_WhereItIsAName_NotInAConstant(int length, int kept)
    {
        var name = new string('a', length);
        await using var connection = await OpenPlainAsync();
        await connection.RunAsync($"SET custom.{name} = 'set'; SELECT set_config('custom2.{name}', 'set', false)");

        Assert.Equal($"custom.{name[..kept]}", Assert.Single(SqlVerdict.Read($"SET custom.{name} = 'set'").Settings));
        Assert.Equal($"custom2.{name}", Assert.Single(SqlVerdict.Read($"SELECT set_config('custom2.{name}', 'set', false)").Settings));
        Assert.Equal("set", await connection.AskAsync<string>($"SELECT current_setting('custom.{name[..kept]}')"));
        Assert.Equal("set", await connection.AskAsync<string>($"SELECT current_setting('custom2.{name}')"));
    }

    // Null: the server refuses it, so that it does not matter how it was read.
    private static async Task<(string Name, string? Value)?> AskAsync(NpgsqlConnection connection, string sql)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand(sql) } }; // Batches are sent as they are.
        try
        {
            await using var reader = await batch.ExecuteReaderAsync();
            await reader.ReadAsync();
            return (reader.GetName(0), reader.GetValue(0) as string);
        }
        catch (PostgresException e) when (e.SqlState.StartsWith("42", StringComparison.Ordinal) || e.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            return null;
        }
    }

    private static string Name(Random random)
    {
        switch (random.Next(3))
        {
            case 0:
                return Of(Letters, random, 1) + Body(random, [.. Letters, "1", "$"]);
            case 1:
                return $"\"{Body(random, [.. Letters, .. Signs])}\"";
            default:
                var (clause, escape) = Clauses[random.Next(Clauses.Length)];
                return $"U&\"{Unicode(random, escape).Replace("'", "", StringComparison.Ordinal)}\"{clause}";
        }
    }

    private static string Constant(Random random)
    {
        var text = Body(random, [.. Letters, .. Signs]);
        switch (random.Next(6))
        {
            case 0:
                return $"'{Doubled(text)}'";
            case 1:
                return $"E'{Doubled(text).Replace("\\", "", StringComparison.Ordinal)}{string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => "\\" + Of(Backslashes, random, 1) + Of(Letters, random, 1)))}'";
            case 2:
                return $"$${text.Replace("$", "", StringComparison.Ordinal)}$$";
            case 3:
                return $"$é1$ {text} $e1$ $é1$";
            case 4:
                return $"N'{Doubled(text)}'" + (random.Next(2) == 0 ? "" : " -- a\n '\\'");
            default:
                var (clause, escape) = Clauses[random.Next(Clauses.Length)];
                return $"U&'{Doubled(Unicode(random, escape))}'{clause}";
        }
    }

    private static string Doubled(string text) => text.Replace("'", "''", StringComparison.Ordinal);

    private static string Unicode(Random random, char escape)
    {
        var text = new StringBuilder(Of(Letters, random, random.Next(3)));
        for (var i = random.Next(4); i > 0; i--)
        {
            var valid = random.Next(8) > 0 ? 6 : Escapes.Length;
            text.Append(escape).Append(Escapes[random.Next(valid)].Replace('?', escape)).Append(Of(Letters, random, random.Next(2)));
        }

        return text.Append(random.Next(3) == 0 ? Of(Letters, random, random.Next(20, 60)) : "").ToString();
    }

    // A few characters, or about as many bytes as a name may have.
    private static string Body(Random random, string[] pieces)
    {
        var text = new StringBuilder();
        var bytes = random.Next(3) == 0 ? random.Next(58, 72) : random.Next(1, 12);
        while (Encoding.UTF8.GetByteCount(text.ToString()) < bytes)
        {
            text.Append(Of(pieces, random, 1));
        }

        return text.ToString();
    }

    private static string Of(string[] pieces, Random random, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => pieces[random.Next(pieces.Length)]));
}
