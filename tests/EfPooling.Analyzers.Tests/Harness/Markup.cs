using Microsoft.CodeAnalysis.Text;

namespace EfPooling.Analyzers.Tests;

/// <summary>A test source with expected diagnostics in it: <c>{|EFP0001:SET x = 1|}</c>, which may be nested.</summary>
internal sealed record Markup(string Code, IReadOnlyList<(string Id, TextSpan Span)> Expected)
{
    public static Markup Parse(string source)
    {
        var code = new System.Text.StringBuilder();
        var open = new Stack<(string Id, int Start)>();
        var expected = new List<(string, TextSpan)>();
        for (var i = 0; i < source.Length; i++)
        {
            if (source.AsSpan(i).StartsWith("{|EFP", StringComparison.Ordinal))
            {
                var colon = source.IndexOf(':', i);
                open.Push((source[(i + 2)..colon], code.Length));
                i = colon;
            }
            else if (open.Count > 0 && source.AsSpan(i).StartsWith("|}", StringComparison.Ordinal))
            {
                var (id, start) = open.Pop();
                expected.Add((id, TextSpan.FromBounds(start, code.Length)));
                i++;
            }
            else
            {
                code.Append(source[i]);
            }
        }

        return open.Count == 0 ? new Markup(code.ToString(), expected) : throw new ArgumentException($"An expectation is not closed in: {source}", nameof(source));
    }
}
