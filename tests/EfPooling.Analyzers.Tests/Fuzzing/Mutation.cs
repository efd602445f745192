using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace EfPooling.Analyzers.Tests.Fuzzing;

/// <summary>Spoils sources as typing does: cuts them off, drops, doubles, swaps and exchanges tokens, inserts characters that open something.</summary>
internal sealed class Mutation(Random random, IReadOnlyList<string> sources)
{
    private static readonly string[] Insertions = ["(", ")", "{", "}", "\"", "$\"", "\"\"\"", "<", ">", ";", ",", ".", "await ", "=> ", "?.", "[", "'", "/*", "\\", "\u0001", "using ", "return "];

    public string Apply(string source)
    {
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            source = Once(source);
        }

        return source;
    }

    private string Once(string source)
    {
        var tokens = Tokens(source);
        if (tokens.Count < 3)
        {
            return source;
        }

        var token = tokens[random.Next(tokens.Count)];
        var other = tokens[random.Next(tokens.Count)];
        return random.Next(7) switch
        {
            0 => source[..random.Next(source.Length)],
            1 => source.Remove(token.SpanStart, token.Span.Length),
            2 => source.Insert(token.SpanStart, token.Text + " "),
            3 => Replace(source, token, other.Text),
            4 => Replace(source, token, Foreign()),
            5 => source.Insert(random.Next(source.Length), Insertions[random.Next(Insertions.Length)]),
            _ => token.SpanStart < other.SpanStart ? source.Remove(token.SpanStart, other.SpanStart - token.SpanStart) : source.Remove(other.SpanStart),
        };
    }

    private string Foreign()
    {
        var tokens = Tokens(sources[random.Next(sources.Count)]);
        return tokens[random.Next(tokens.Count)].Text;
    }

    private static string Replace(string source, SyntaxToken token, string text) => source.Remove(token.SpanStart, token.Span.Length).Insert(token.SpanStart, text);

    private static List<SyntaxToken> Tokens(string source) => [.. CSharpSyntaxTree.ParseText(source).GetRoot().DescendantTokens().Where(token => token.Span.Length > 0)];
}
