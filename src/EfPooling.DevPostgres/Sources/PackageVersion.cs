using System.Text.RegularExpressions;

namespace EfPooling.Dev.Sources;

/// <summary>Version of a package of server binaries, for example <c>17.10.0-beta.17</c>: PostgreSQL 17.10, 17th packaging.</summary>
internal sealed partial record PackageVersion(int Major, int Minor, int Patch, int Packaging) : IComparable<PackageVersion>
{
    /// <summary>Null if the text is no such version.</summary>
    public static PackageVersion? TryParse(string text)
    {
        var match = Pattern().Match(text);
        int Part(int group) => int.Parse(match.Groups[group].ValueSpan, provider: null);
        return match.Success ? new PackageVersion(Part(1), Part(2), Part(3), Part(4)) : null;
    }

    public int CompareTo(PackageVersion? other) =>
        other is null
            ? 1
            : (Major, Minor, Patch, Packaging).CompareTo((other.Major, other.Minor, other.Patch, other.Packaging));

    public override string ToString() => $"{Major}.{Minor}.{Patch}-beta.{Packaging}";

    [GeneratedRegex(@"^(\d{1,4})\.(\d{1,4})\.(\d{1,4})-beta\.(\d{1,6})$")]
    private static partial Regex Pattern();
}
