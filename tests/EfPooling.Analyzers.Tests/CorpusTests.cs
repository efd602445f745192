using EfPooling.AdoNet.Sql;
using EfPooling.AdoNet.Tests;
using Microsoft.CodeAnalysis.CSharp;

namespace EfPooling.Analyzers.Tests;

/// <summary>The analyzers read SQL as the product does at run time: one source, two builds.</summary>
public sealed class CorpusTests
{
    private const SessionEffects Refused = SessionEffects.Listen | SessionEffects.TemporaryObject | SessionEffects.SessionLock | SessionEffects.PreparedStatement
        | SessionEffects.HoldCursor | SessionEffects.Library | SessionEffects.Discard | SessionEffects.TransactionControl;

    private const int FirstLine = 4;

    private static readonly (string Words, string Why)[] Reasons =
    [
        ("advisory_unlock", "gives back what another statement took, which is reported"),
        ("search_path", "says where to create; what is created there is not known"),
        ("DO $$", "rules leave the code in DO blocks alone"),
        ("EXPLAIN", "rules look at what a statement begins with"),
        ("CREATE SCHEMA", "rules look at what a statement begins with"),
        ("pg_temp", "uses a temporary object, whose creation is reported"),
    ];

    [Fact]
    public void Verdicts_AreThoseApprovedForTheRunTime()
        => Assert.Equal(Approved().ReplaceLineEndings("\n").TrimEnd('\n'), SqlVerdictText.OfCorpus().TrimEnd('\n'));

    [Fact]
    public void Classifier_IsTheAnalyzersOwnBuild()
        => Assert.Equal("EfPooling.Analyzers", typeof(EfPooling.AdoNet.Sql.SqlVerdict).Assembly.GetName().Name);

    /// <summary>
    /// What the run time refuses, a rule reports, or the list says why none does. A statement that is neither is a miss that nobody has thought about.
    /// </summary>
    [Fact]
    public async Task Refusals_AreReported_OrTheListSaysWhyNot()
    {
        var entries = SqlCorpus.Entries.Where(entry => (SqlVerdict.Of(entry.Sql).Effects & Refused) != 0 && !SelfContainedText.Is(SqlVerdict.Of(entry.Sql))).ToList();
        var calls = entries.Select(entry => $"        conn.Execute({SymbolDisplay.FormatLiteral(entry.Sql, quote: true)});");
        var found = await Analysis.RunAsync(
            TestCompilation.Create($"public class Example\n{{\n    public void Run(DbConnection conn)\n    {{\n{string.Join('\n', calls)}\n    }}\n}}"), null, new SqlRulesAnalyzer());
        var reported = found.Select(diagnostic => diagnostic.Location.GetLineSpan().StartLinePosition.Line - FirstLine).ToHashSet();

        Snapshots.Verify(string.Join('\n', entries.Where((_, i) => !reported.Contains(i)).Select(entry => $"{entry.Line}\n    {WhyNot(entry)}")));
    }

    private static string WhyNot(SqlCorpusEntry entry)
        => Reasons.FirstOrDefault(item => entry.Sql.Contains(item.Words, StringComparison.OrdinalIgnoreCase)).Why ?? throw new InvalidOperationException($"No rule reports it, and nobody has said why: {entry.Line}");

    private static string Approved()
        => File.ReadAllText(Path.Combine(Repository.Root, "tests", "EfPooling.AdoNet.Tests", "Sql", "SqlCorpusTests.Verdicts_AreTheApprovedOnes.verified.txt"));
}
