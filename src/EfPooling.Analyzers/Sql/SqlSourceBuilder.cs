using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace EfPooling.Analyzers.Sql;

/// <summary>Collects the pieces of a SQL text. One thread only.</summary>
internal sealed class SqlSourceBuilder
{
    private readonly StringBuilder _text = new();
    private readonly List<int> _positions = [];

    public int Length => _text.Length;

    public SqlSource Build(SyntaxNode syntax) => new(_text.ToString(), [.. _positions], syntax);

    /// <summary>A text that does not stand in the file as it is.</summary>
    public void Append(string text) => Append(text, null);

    /// <summary>A literal.</summary>
    public void AppendLiteral(SyntaxToken token)
    {
        var (value, isVerbatim) = (token.ValueText, token.Text.StartsWith("@", StringComparison.Ordinal));
        Append(value, token.IsKind(SyntaxKind.StringLiteralToken)
            ? InEscapes(token, value, isVerbatim ? 2 : 1, token.Text.Length - 1, isVerbatim, hasBraces: false)
            : InLines(token, value, token.Text.Length - token.Text.TrimStart('"').Length));
    }

    /// <summary>A text between the holes of an interpolated string.</summary>
    /// <param name="token">The text.</param>
    /// <param name="opening">The token that opens the string.</param>
    public void AppendInterpolated(SyntaxToken token, SyntaxToken opening)
    {
        if (!opening.IsKind(SyntaxKind.InterpolatedStringStartToken) && !opening.IsKind(SyntaxKind.InterpolatedVerbatimStringStartToken))
        {
            Append(token.ValueText, InLines(token, token.ValueText, 0));
            return;
        }

        // The token's value still has its braces doubled.
        var value = token.ValueText.Replace("{{", "{").Replace("}}", "}");
        Append(value, InEscapes(token, value, 0, token.Text.Length, opening.Text.Contains('@'), hasBraces: true));
    }

    private void Append(string value, List<int>? positions)
    {
        _text.Append(value);
        _positions.AddRange((IEnumerable<int>?)positions ?? Enumerable.Repeat(-1, value.Length));
    }

    private static IEnumerable<int> Consecutive(int start, int length) => Enumerable.Range(start, length);

    // Follows the escapes; null as soon as the text turns out to be read otherwise.
    private static List<int>? InEscapes(SyntaxToken token, string value, int start, int end, bool isVerbatim, bool hasBraces)
    {
        var (text, positions, i) = (token.Text, new List<int>(value.Length), start);
        foreach (var c in value)
        {
            if (i >= end)
            {
                return null;
            }

            positions.Add(token.SpanStart + i);
            if (text[i] == '\\' && !isVerbatim)
            {
                if (i + 1 >= end || text[i + 1] is 'x' or 'u' or 'U')
                {
                    return null;
                }

                i += 2;
            }
            else if (text[i] != c)
            {
                return null;
            }
            else
            {
                var isDoubled = (c == '"' && isVerbatim) || (c is '{' or '}' && hasBraces);
                i += isDoubled && i + 1 < end && text[i + 1] == c ? 2 : 1;
            }
        }

        return i == end ? positions : null;
    }

    // Raw strings have no escapes, but the indentation of their lines is left out.
    private static List<int>? InLines(SyntaxToken token, string value, int start)
    {
        var (text, positions, i) = (token.Text, new List<int>(value.Length), start);
        foreach (var line in value.Split('\n'))
        {
            var at = text.IndexOf(line, i, StringComparison.Ordinal);
            if (at < 0)
            {
                return null;
            }

            positions.AddRange(Consecutive(token.SpanStart + at, line.Length));
            positions.Add(token.SpanStart + at + line.Length); // The line break, or what follows.
            i = Math.Min(at + line.Length, text.Length);
        }

        positions.RemoveAt(positions.Count - 1);
        return positions;
    }
}
