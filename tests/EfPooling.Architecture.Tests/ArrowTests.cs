
namespace EfPooling.Architecture.Tests;

/// <summary>Holds what docs/architecture.md draws: which floor of EfPooling.AdoNet may use which, and how far its files are entangled.</summary>
public sealed class ArrowTests(ITestOutputHelper output)
{
    /// <summary>A ratchet: it may only be made smaller.</summary>
    private const int LargestCircle = 9;

    private const int MostFilesInAFolder = 38;

    private static readonly Lazy<SourceModel> Read = new(() => SourceModel.Read("EfPooling.AdoNet"));

    private static SourceModel AdoNet => Read.Value;

    [Fact]
    public void EveryName_IsBound() => Assert.True(AdoNet.Unbound.Count == 0, string.Join((char)10, AdoNet.Unbound));

    [Fact]
    public void EveryFolder_IsAFloor() => Assert.Empty(AdoNet.Files.Select(SourceModel.FolderOf).Distinct().Except(Floors.Arrows.Keys));

    [Fact]
    public void Arrows_PointDown()
    {
        var offenders = AdoNet.Uses.Where(use => !Floors.Allow(use)).Select(use => $"{use.File} -> {use.Target}: {use.Type}").Order(StringComparer.Ordinal).ToList();
        Assert.True(offenders.Count == 0, $"{offenders.Count} arrows point up:\n{string.Join('\n', offenders)}");
    }

    [Fact]
    public void Circles_AreSmall()
    {
        var circles = Circles.Of(AdoNet);
        var figures = string.Join('\n', circles.Select(circle => $"{circle.Count} files: {string.Join(", ", circle)}"));
        output.WriteLine(figures);
        Assert.True(circles.Count == 0 || circles[0].Count <= LargestCircle, $"The largest circle has more than {LargestCircle} files:\n{figures}");
    }

    [Fact]
    public void Folders_AreCounted()
    {
        var folders = AdoNet.Files.GroupBy(SourceModel.FolderOf).OrderBy(folder => folder.Key, StringComparer.Ordinal).ToList();
        output.WriteLine(string.Join('\n', folders.Select(folder => $"{(folder.Key is "" ? "(root)" : folder.Key)}: {folder.Count()} files")));
        Assert.All(folders, static folder => Assert.InRange(folder.Count(), 1, MostFilesInAFolder));
    }

    // Two files that use each other: the models of arrows and circles must see them, or nothing above can fail.
    [Fact]
    public void Model_SeesUsesWithoutTheTypesName()
    {
        Assert.Contains(AdoNet.Uses, use => use is { File: "LogicalConnection.cs", Type: "TransactionPoolingDataSource" });
        Assert.Contains(AdoNet.Uses, use => use is { File: "LogicalCommand.cs", Type: "LogicalConnection" });
        Assert.Contains(Circles.Of(AdoNet), circle => circle.Contains("LogicalCommand.cs") && circle.Contains("LogicalConnection.cs"));
    }
}
