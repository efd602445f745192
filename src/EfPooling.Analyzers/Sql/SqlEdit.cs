using System.Collections.Immutable;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace EfPooling.Analyzers.Sql;

/// <summary>How the analyzer tells the code fix what to change within a literal: as properties of the diagnostic, relative to its place.</summary>
internal static class SqlEdit
{
    private const string Offset = "EditOffset";
    private const string Length = "EditLength";
    private const string Replacement = "EditReplacement";

    public static ImmutableDictionary<string, string?> Encode(TextSpan reported, TextSpan edited, string replacement)
        => ImmutableDictionary<string, string?>.Empty
            .Add(Offset, (edited.Start - reported.Start).ToString(CultureInfo.InvariantCulture))
            .Add(Length, edited.Length.ToString(CultureInfo.InvariantCulture))
            .Add(Replacement, replacement);

    /// <returns>Null if the diagnostic has no change to offer.</returns>
    public static TextChange? Decode(Diagnostic diagnostic)
        => diagnostic.Properties.TryGetValue(Offset, out var offset) && diagnostic.Properties.TryGetValue(Length, out var length)
            && diagnostic.Properties.TryGetValue(Replacement, out var replacement) && offset is not null && length is not null && replacement is not null
                ? new TextChange(
                    new TextSpan(diagnostic.Location.SourceSpan.Start + int.Parse(offset, CultureInfo.InvariantCulture), int.Parse(length, CultureInfo.InvariantCulture)),
                    replacement)
                : null;
}
