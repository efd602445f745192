using System.Text.RegularExpressions;

namespace EfPooling.Docs.Tests;

public sealed partial class LinksTests
{
    [Fact]
    public void RelativeLinks_LeadToFilesThatExist()
    {
        var broken =
            from file in Documentation.Files
            from Match link in Link().Matches(Documentation.Read(file))
            let target = link.Groups[1].Value
            where !target.Contains("://", StringComparison.Ordinal)
            let path = Path.Combine(Documentation.Root, Path.GetDirectoryName(file)!, target.Split('#')[0])
            where !File.Exists(path) && !Directory.Exists(path)
            select $"{file}: {target}";

        Assert.Empty(broken);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
