namespace EfPooling.AdoNet.Tests;

/// <summary>The verdict on each statement of the corpus. To approve new ones, rename the received file that the failure names.</summary>
public sealed class SqlCorpusTests
{
    [Fact]
    public void Verdicts_AreTheApprovedOnes() => Snapshots.Verify(SqlVerdictText.OfCorpus());

    [Fact]
    public void Corpus_IsLarge() => Assert.InRange(SqlCorpus.Entries.Count, 220, 1_000);
}
