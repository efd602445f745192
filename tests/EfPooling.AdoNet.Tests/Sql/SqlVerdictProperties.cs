using EfPooling.AdoNet.Sql;
using FsCheck;
using FsCheck.Fluent;

namespace EfPooling.AdoNet.Tests;

public sealed class SqlVerdictProperties
{
    private static readonly string[] Statements =
    [
        "SELECT a FROM b", "INSERT INTO a VALUES (1)", "SET a = 1", "SET LOCAL a = 1", "ROLLBACK TO a", "ROLLBACK", "BEGIN", "PREPARE a AS SELECT 1",
        "SELECT set_config('a', 'b', false)", "CREATE TEMP TABLE a (b int)", "CREATE TABLE a (b int)", "LISTEN a", "DISCARD ALL", "CALL a()", "FROBNICATE a",
        "SELECT 'it''s', E'\\'', $$ SET $$, \"quoted\"",
    ];

    private static readonly string[] Blanks = [" ", "\n", "\t", "/* SET */", "-- BEGIN\n", "/* /* nested */ ' */", " \r\n ", "--'\n"];

    private static readonly Gen<string> Statement = Gen.Elements(Statements);

    private static readonly Gen<string> Blank = Gen.Elements(Blanks).NonEmptyListOf().Select(blanks => string.Concat(blanks));

    // Text without the characters that end the constant it is put into.
    private static readonly Gen<string> Inside = ArbMap.Default.GeneratorFor<string>()
        .Select(text => (text ?? "") + " SET a = 1; set_config TEMP BEGIN ")
        .Select(text => string.Concat(text.Where(c => c is not ('\'' or '\\' or '$' or '\0'))));

    private static readonly Config Quick = Config.QuickThrowOnFailure.WithMaxTest(300);

    [Fact]
    public void CommentsAndWhiteSpace_DoNotChangeTheVerdict()
        => Prop.ForAll(
            Statement.Zip(Blank).ToArbitrary(),
            pair => Assert.Equal(Of(pair.Item1), Of(pair.Item2 + OutsideConstants(pair.Item1, text => text.Replace(" ", pair.Item2, StringComparison.Ordinal)) + pair.Item2)))
            .Check(Quick);

    [Fact]
    public void Case_DoesNotChangeTheVerdict()
        => Prop.ForAll(
            Statement.Zip(ArbMap.Default.GeneratorFor<int>()).ToArbitrary(),
            pair => Assert.Equal(Of(pair.Item1), Of(OutsideConstants(pair.Item1, text => MixCase(text, pair.Item2)))))
            .Check(Quick);

    [Fact]
    public void TextInsideConstants_DoesNotChangeTheVerdict()
        => Prop.ForAll(
            Statement.Zip(Inside).ToArbitrary(),
            pair =>
            {
                foreach (var constant in new[] { $"'{pair.Item2}'", $"E'{pair.Item2}\\''", $"$${pair.Item2}$$", $"$tag${pair.Item2}$tag$", $"'{pair.Item2}''{pair.Item2}'" })
                {
                    Assert.Equal(Of(pair.Item1), Of($"SELECT {constant}; {pair.Item1}; SELECT {constant}"));
                }
            })
            .Check(Quick);

    [Fact]
    public void Statements_InOneText_AddUp()
        => Prop.ForAll(
            Statement.NonEmptyListOf().ToArbitrary(),
            all => Assert.Equal(all.Aggregate(Taint.None, (sum, one) => sum | Of(one)), Of(string.Join(';', all))))
            .Check(Quick);

    [Fact]
    public void StatementThatNobodyKnows_IsNeverHarmless()
        => Prop.ForAll(
            Gen.Choose('a', 'z').Select(c => (char)c).ArrayOf(9).Select(letters => "x" + new string(letters)).ToArbitrary(),
            word => Assert.NotEqual(Taint.None, Of(word + " TABLE a")))
            .Check(Quick);

    [Fact]
    public void AnyText_IsClassified()
        => Prop.ForAll(ArbMap.Default.ArbFor<string>(), text => Of(text ?? "") >= Taint.None).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void TokensInAnyOrder_AreHarmlessOnlyBehindKnownWords()
        => Prop.ForAll(
            Gen.Elements(Tokens).ListOf().ToArbitrary(),
            tokens => Assert.True(SqlVerdict.Read("frobnicate " + string.Join(' ', tokens)).Effects.HasFlag(SessionEffects.Unknown)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void TextCutAnywhere_IsUnknownIfSomethingIsLeftOpen()
    {
        foreach (var sql in SqlCorpus.Entries.Select(entry => entry.Sql))
        {
            for (var length = 0; length < sql.Length; length++)
            {
                var cut = sql[..length];
                Assert.True(!new SqlTokens(cut).IsBroken || SqlVerdict.Read(cut).Effects.HasFlag(SessionEffects.Unknown), cut);
            }
        }
    }

    [Fact]
    public void Corpus_BehindComments_HasTheSameVerdicts()
    {
        foreach (var sql in Whole)
        {
            Assert.Equal(Describe(SqlVerdict.Read(sql)), Describe(SqlVerdict.Read("-- SET\n/* 'x */" + sql + "\n--;BEGIN")));
        }
    }

    [Fact]
    public void Corpus_StatementsInOneText_AddUp()
        => Prop.ForAll(
            Gen.Elements(Whole.Where(sql => !sql.Contains("rrval", StringComparison.Ordinal) && !sql.Contains("lastval", StringComparison.Ordinal)).ToArray())
                .NonEmptyListOf().ToArbitrary(),
            texts =>
            {
                var (whole, parts) = (SqlVerdict.Read(string.Join("\n;", texts)), texts.Select(SqlVerdict.Read).ToList());
                Assert.Equal(parts.Sum(part => part.Statements), whole.Statements);
                Assert.Equal(parts.Aggregate(SessionEffects.None, (sum, part) => sum | part.Effects), whole.Effects);
                Assert.Equal(parts.SelectMany(part => part.Settings).Distinct(), whole.Settings);
                Assert.Equal(parts.SelectMany(part => part.Functions).Distinct(), whole.Functions);
            })
            .Check(Quick);

    [Fact]
    public void AnyText_IsReadToItsEnd_WithEachCharacterInATokenOrBetween()
    {
        var random = new Random(20_251_130);
        for (var round = 0; round < 5_000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            SqlVerdict.Read(text);
            SqlVerdict.ReadProcedure(text);
            var (tokens, end) = (SqlLexer.Read(text, out var isBroken), 0);
            foreach (var token in tokens)
            {
                Assert.True(token.Length > 0 && token.Start >= end && token.End <= text.Length + 1, text); // A backslash at the end escapes what is not there.
                AssertBetween(text[end..token.Start]);
                end = Math.Min(token.End, text.Length);
            }

            AssertBetween(isBroken ? "" : text[end..]);
        }
    }

    [Fact]
    public void TextsCutAnywhere_AreRead()
    {
        var random = new Random(20_251_201);
        foreach (var sql in SqlCorpus.Entries.Select(entry => entry.Sql).Where(sql => sql.Length > 0))
        {
            for (var round = 0; round < 10; round++)
            {
                var (start, end) = (random.Next(sql.Length), random.Next(sql.Length + 1));
                var cut = sql[Math.Min(start, end)..Math.Max(start, end)];
                Assert.Equal(SqlVerdict.Read(cut).Effects, SqlVerdict.Read(cut).Effects);
                SqlVerdict.ReadProcedure(cut);
            }
        }
    }

    [Fact]
    public void Case_IsThatOfAsciiOnly()
    {
        for (var c = '\0'; c < '\uffff'; c++)
        {
            var folded = SqlCharacters.Fold(c.ToString());
            Assert.Equal(c is >= 'A' and <= 'Z' ? char.ToLowerInvariant(c) : c, Assert.Single(folded));
            Assert.Equal(c is 'k' or 'K', SqlCharacters.AreEqual(c.ToString(), 0, 1, "k"));
            Assert.Equal(c is 's' or 'S' or 'i' or 'I', new WordTable("s i").Contains(c.ToString()));
        }
    }

    private static readonly string[] Pieces =
    [
        "SELECT", " ", "\n", "'", "''", "E'", "\\", "\\'", "\"", "U&\"", "U&'", "\\0041", "UESCAPE", "'!'", "$$", "$a$", "$", "a", "É", "1", "1_0", "0x1F", "1.5e", ".", "..", "--", "/*", "*/",
        "+", "-", "=", "@", "@p", ":", "::", ":=", "(", ")", "[", "]", ",", ";", "AS", "case", "BEGIN", "ATOMIC", "END", "DO", "THEN", "IF", "EXECUTE", "set_config", "SET", "\0", "\ud83d",
    ];

    // What the lexer leaves out is white space and comments, and UESCAPE, which belongs to the token before it.
    private static void AssertBetween(string gap)
        => Assert.All(SqlLexer.Read(gap, out _), token => Assert.Contains("UESCAPE", gap, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<string> Whole => SqlCorpus.Entries.Select(entry => entry.Sql).Where(sql => !new SqlTokens(sql).IsBroken);

    private static readonly string[] Tokens =
    [
        "SELECT", "set_config", "(", ")", "'a'", ";;", ",", "SET", "FROM", "WITH", "AS", "[", "]", "$$", "\"q\"", ".", "::", "E'\\''", "U&\"\\0061\"", "UESCAPE", "1e5",
        "$1", "@p", "BEGIN", "ATOMIC", "END", "CASE", "DO", "EXPLAIN", "ANALYZE", "CREATE", "TEMP", "TABLE", "INTO", "/*", "*/", "--", "\n", "LOCAL", "=", "DECLARE",
    ];

    private static Taint Of(string sql) => SessionFeatures.TaintOf(SqlVerdict.Read(sql).Effects, SqlVerdict.Read(sql), settingsFollow: false);

    private static string Describe(SqlVerdict verdict)
        => $"{verdict.Kind} {verdict.Effects} {verdict.IsReadCandidate} {verdict.CanShareTransaction} {string.Join(',', verdict.Settings)} "
            + $"{string.Join(',', verdict.Functions)} {string.Join(',', verdict.Tables)}";

    // The statements above have constants only behind the first quote or dollar sign.
    private static string OutsideConstants(string sql, Func<string, string> change)
    {
        var end = sql.IndexOfAny(['\'', '$']);
        return end < 0 ? change(sql) : change(sql[..end].TrimEnd('E', ' ')) + " " + sql[(sql[end - 1] == 'E' ? end - 1 : end)..];
    }

    private static string MixCase(string text, int seed)
    {
        var random = new Random(seed);
        return string.Concat(text.Select(c => random.Next(2) == 0 ? char.ToUpperInvariant(c) : char.ToLowerInvariant(c)));
    }
}
