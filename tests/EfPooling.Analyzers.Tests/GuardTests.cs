using System.Reflection;
using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Tests;

/// <summary>What every rule must have besides its code. Rules are found in the assembly, so a new one cannot be forgotten.</summary>
public sealed class GuardTests
{
    private static readonly DiagnosticDescriptor[] Descriptors =
        [.. Analysis.AllAnalyzers().SelectMany(analyzer => analyzer.SupportedDiagnostics).Distinct().OrderBy(descriptor => descriptor.Id, StringComparer.Ordinal)];

    public static TheoryData<string> Ids => [.. Descriptors.Select(descriptor => descriptor.Id)];

    [Fact]
    public void EachId_HasOneDescriptor() => Assert.Equal(Descriptors.Length, Descriptors.Select(descriptor => descriptor.Id).Distinct().Count());

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rule_HasAPage(string id)
    {
        var page = File.ReadAllText(Path.Combine(RuleTable.Folder, id + ".md"));

        Assert.StartsWith($"# {id}: {Descriptor(id).Title}\n", page, StringComparison.Ordinal);
        Assert.All(["## Cause", "## Why", "## Instead", "## Not flagged", "## Options"], heading => Assert.Contains($"\n{heading}\n", page, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rule_LinksToItsPage_AtTheAddressOfTheRepository(string id)
    {
        var root = BuildProperties.RepositoryAddress + "/blob/main/";

        Assert.StartsWith(root, Descriptor(id).HelpLinkUri, StringComparison.Ordinal);
        Assert.Equal(Path.GetFullPath(Path.Combine(RuleTable.Folder, id + ".md")), Path.GetFullPath(Path.Combine(Repository.Root, Descriptor(id).HelpLinkUri[root.Length..])));
    }

    [Fact]
    public void AddressOfTheRepository_IsOneThatABrowserOpens()
        => Assert.True(Uri.TryCreate(BuildProperties.RepositoryAddress, UriKind.Absolute, out var address) && address.Scheme == "https" && address.AbsolutePath is not "/" && BuildProperties.RepositoryAddress[^1] != '/', BuildProperties.RepositoryAddress);

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rule_IsInAReleaseFile(string id)
    {
        var folder = Path.Combine(Repository.Root, "src", "EfPooling.Analyzers");
        var releases = File.ReadAllText(Path.Combine(folder, "AnalyzerReleases.Shipped.md")) + File.ReadAllText(Path.Combine(folder, "AnalyzerReleases.Unshipped.md"));
        var descriptor = Descriptor(id);

        var severity = descriptor.IsEnabledByDefault ? descriptor.DefaultSeverity.ToString() : "Disabled";
        Assert.Contains($"\n{id} | {descriptor.Category} | {severity} | {descriptor.Title}\n", releases, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rule_IsNeverAnErrorByDefault(string id) => Assert.NotEqual(DiagnosticSeverity.Error, Descriptor(id).DefaultSeverity);

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rule_IsShownToFire_AndToBeSilent(string id)
    {
        var cases = AllCases().Where(cases => cases.Id == id).SelectMany(cases => cases.All).ToList();

        Assert.True(cases.Any(item => item.Fires), $"{id} has no firing case.");
        Assert.True(cases.Count(item => !item.Fires) >= 3, $"{id} has fewer than three silent cases.");
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rule_IsAnErrorInOurOwnCode(string id)
    {
        var configuration = File.ReadAllText(Path.Combine(Repository.Root, "src", "EfPooling.Analyzers", "configuration", "AllRulesAsErrors.globalconfig"));

        Assert.Contains($"\ndotnet_diagnostic.{id}.severity = error\n", configuration, StringComparison.Ordinal);
    }

    [Fact]
    public void Cases_AreOfRulesThatExist() => Assert.Empty(AllCases().Select(cases => cases.Id).Except(Descriptors.Select(descriptor => descriptor.Id)));

    /// <summary>The table of all rules is generated: on a failure, <c>README.received.txt</c> beside it has the new one.</summary>
    [Fact]
    public void Table_IsThatOfTheDescriptors()
    {
        var (path, expected) = (Path.Combine(RuleTable.Folder, "README.md"), RuleTable.Render(Descriptors));
        var received = Path.ChangeExtension(path, ".received.txt");
        if (File.Exists(path) && File.ReadAllText(path).ReplaceLineEndings("\n") == expected)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, expected);
        Assert.Fail($"docs/rules/README.md is stale. Let {received} replace it.");
    }

    internal static IEnumerable<RuleCases> AllCases()
        => typeof(GuardTests).Assembly.GetTypes()
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(field => field.FieldType == typeof(RuleCases))
            .Select(field => (RuleCases)field.GetValue(null)!);

    private static DiagnosticDescriptor Descriptor(string id) => Descriptors.Single(descriptor => descriptor.Id == id);
}
