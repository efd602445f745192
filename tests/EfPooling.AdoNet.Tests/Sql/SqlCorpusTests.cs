using System.Text;
using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet.Tests;

/// <summary>The verdict on each statement of the corpus. To approve new ones, rename the received file that the failure names.</summary>
public sealed class SqlCorpusTests
{
    [Fact]
    public void Verdicts_AreTheApprovedOnes()
    {
        var text = new StringBuilder();
        foreach (var entry in SqlCorpus.Entries)
        {
            var verdict = SqlVerdict.Of(entry.Sql);
            text.Append(entry.Line).Append('\n').Append("    ").Append(verdict.Kind).Append(verdict.Statements == 1 ? "" : $" x{verdict.Statements}");
            text.Append(verdict.Effects == SessionEffects.None ? "; harmless" : $"; {verdict.Effects}");
            text.Append(verdict.IsReadCandidate ? "; may be a plain read" : "").Append(verdict.CanShareTransaction ? "" : "; shares no transaction");
            text.Append(verdict.ResetsAllSettings ? "; resets all settings" : "").Append(verdict.HasTransactionObject ? "; object of the transaction" : "");
            Append(text, "settings", verdict.Settings);
            Append(text, "calls", verdict.Functions.Select(name => name.ToString()));
            Append(text, "tables", verdict.Tables.Select(name => name.ToString()));
            text.Append('\n');
        }

        Snapshots.Verify(text.ToString());
    }

    [Fact]
    public void Corpus_IsLarge() => Assert.InRange(SqlCorpus.Entries.Count, 220, 1_000);

    private static void Append(StringBuilder text, string what, IEnumerable<string> names)
    {
        var list = string.Join(", ", names);
        text.Append(list.Length == 0 ? "" : $"; {what}: {list}");
    }
}
