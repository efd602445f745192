using EfPooling.AdoNet.Tests;

namespace EfPooling.Analyzers.Tests;

/// <summary>The analyzers read SQL as the product does at run time: one source, two builds.</summary>
public sealed class CorpusTests
{
    [Fact]
    public void Verdicts_AreThoseApprovedForTheRunTime()
        => Assert.Equal(Approved().ReplaceLineEndings("\n").TrimEnd('\n'), SqlVerdictText.OfCorpus().TrimEnd('\n'));

    [Fact]
    public void Classifier_IsTheAnalyzersOwnBuild()
        => Assert.Equal("EfPooling.Analyzers", typeof(EfPooling.AdoNet.Sql.SqlVerdict).Assembly.GetName().Name);

    private static string Approved()
        => File.ReadAllText(Path.Combine(Repository.Root, "tests", "EfPooling.AdoNet.Tests", "Sql", "SqlCorpusTests.Verdicts_AreTheApprovedOnes.verified.txt"));
}
