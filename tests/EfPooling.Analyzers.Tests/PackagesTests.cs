using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace EfPooling.Analyzers.Tests;

/// <summary>What every package says of itself.</summary>
public sealed partial class PackagesTests(PackagesTests.PackedPackages packed) : IClassFixture<PackagesTests.PackedPackages>
{
    private static bool IsClone => Path.Combine(Repository.Root, ".git") is var git && (Directory.Exists(git) || File.Exists(git));

    public static TheoryData<string> Names => [.. Packages.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Package_SaysWhoseItIs_AndWhereItLives(string name)
    {
        var metadata = XDocument.Parse(packed.Read(name).Description).Root!.Elements().Single();
        var said = metadata.Elements().ToDictionary(element => element.Name.LocalName);

        Assert.Equal(("expression", "MIT"), (said["license"].Attribute("type")?.Value, said["license"].Value));
        Assert.Equal("The EfPooling authors", said["authors"].Value);
        Assert.Equal(BuildProperties.RepositoryAddress, said["projectUrl"].Value);
        Assert.Equal(("git", BuildProperties.RepositoryAddress), (said["repository"].Attribute("type")?.Value, said["repository"].Attribute("url")?.Value));
        Assert.Matches(IsClone ? "^[0-9a-f]{40}$" : "^$", said["repository"].Attribute("commit")?.Value ?? ""); // Sources without a history have no commit.
        Assert.Equal(("icon.png", "README.md"), (said["icon"].Value, said["readme"].Value));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Readme_IsTheRepositorys_WithLinksThatLeadThere(string name)
    {
        var source = File.ReadAllText(Path.Combine(Repository.Root, "README.md")).ReplaceLineEndings("\n");
        var readme = packed.Read(name).Readme;

        var links = Link().Matches(readme).Select(link => link.Groups[1].Value).ToList();
        Assert.NotEmpty(links);
        Assert.All(links, link => Assert.StartsWith("https://", link, StringComparison.Ordinal));
        Assert.Contains(links, link => link == BuildProperties.RepositoryAddress + "/blob/main/docs/architecture.md");
        Assert.Contains($"]({BuildProperties.RepositoryAddress}/raw/main/docs/benchmarks/point-reads.svg)", readme, StringComparison.Ordinal);
        Assert.Equal(source.TrimEnd('\n'), Regex.Replace(readme, Regex.Escape(BuildProperties.RepositoryAddress) + "/(blob|raw)/main/", "").TrimEnd('\n'));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Icon_IsAPicture_OfTheSizeThatGalleriesWant(string name)
    {
        var icon = packed.Read(name).Icon;

        Assert.Equal<byte>([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A], icon[..8]);
        Assert.Equal((128, 128), (icon[19], icon[23])); // Width and height, of which the low bytes say all.
    }

    /// <summary>Whatever the tests run with, and whatever a dependency depends on.</summary>
    [Fact]
    public void Packages_AskForTheOldestVersions_AndForNothingElse()
        => Snapshots.Verify(string.Join('\n', Packages.Names.SelectMany(
            name => Dependency().Matches(packed.Read(name).Description).Select(match => $"{name}: {match.Groups[1].Value} {match.Groups[2].Value}"))));

    [GeneratedRegex(@"<dependency id=""(\S+?)"" version=""(\S+?)""")]
    private static partial Regex Dependency();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    /// <summary>All packages, packed once.</summary>
    public sealed class PackedPackages : IAsyncLifetime
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("efpooling-packages");

        public async ValueTask InitializeAsync() => await Packages.PackAsync(_folder.FullName);

        public ValueTask DisposeAsync()
        {
            _folder.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }

        internal PackageContent Read(string name) => PackageContent.Read(_folder.FullName, name);
    }
}
