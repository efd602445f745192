using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet.Tests;

public sealed class SqlLexerTests
{
    [Theory]
    [InlineData("SELECT 1", "SELECT")]
    [InlineData("select a.b , \"C d\"", "select a . b , C d")]
    [InlineData("a -- b\nc -- d\re", "a c e")]
    [InlineData("a -- b", "a")]
    [InlineData("a /* b /* c */ d */ e /* f", "a e")]
    [InlineData("a /**/ b", "a b")]
    [InlineData("'it''s' a", "a")]
    [InlineData("'a\\' b", "b")]
    [InlineData("E'a\\'b' c", "c")]
    [InlineData("e'a\\\\' c 'd'", "c")]
    [InlineData("E'a' -- c\n 'b\\'' ; SET", "; SET")]
    [InlineData("E'a' b '\\' c", "b c")]
    [InlineData("nameE'\\' a", "nameE a")]
    [InlineData("U&'\\0061' B'01' X'1F' N'x' a", "a")]
    [InlineData("'never ends; SET a", "")]
    [InlineData("$$ a ' b $$ c", "c")]
    [InlineData("$x$ a $$ b $y$ c $x$ d", "d")]
    [InlineData("$1 + $2", "+")]
    [InlineData("a$b$c", "a$b$c")]
    [InlineData("$x$ never ends", "")]
    [InlineData("1.5e10 a1 1_000", "a1")]
    [InlineData("größe Ü", "größe Ü")]
    [InlineData("\"never ends", "never ends")]
    [InlineData("\"\" a", " a")]
    [InlineData("", "")]
    public void Next_FindsWordsAndPunctuation(string sql, string tokens) => Assert.Equal(tokens, string.Join(' ', Tokens(sql)));

    [Fact]
    public void Is_ComparesWordsWithoutCase()
    {
        var tokens = new SqlTokens("sElEcT ;");
        Assert.True(tokens.Is(0, "SELECT"));
        Assert.False(tokens.Is(1, ";"));
        Assert.True(tokens.Is(1, ';'));
    }

    // Names and punctuation, as they were before constants, numbers and parameters became tokens.
    private static IEnumerable<string> Tokens(string sql)
    {
        var tokens = new SqlTokens(sql);
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens.IsName(i))
            {
                yield return tokens[i].Kind == SqlTokenKind.Word ? tokens.Raw(i) : tokens.Name(i);
            }
            else if (tokens[i].Kind is SqlTokenKind.Punctuation or SqlTokenKind.Operator)
            {
                yield return tokens.Raw(i);
            }
        }
    }
}
