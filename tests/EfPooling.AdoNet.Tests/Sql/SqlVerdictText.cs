using System.Text;
using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Writes verdicts down for approval. Linked into the analyzers' tests, which hold their build of the classifier to the same text.</summary>
internal static class SqlVerdictText
{
    /// <summary>Each statement of the corpus and the verdict on it.</summary>
    public static string OfCorpus()
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

        return text.ToString();
    }

    private static void Append(StringBuilder text, string what, IEnumerable<string> names)
    {
        var list = string.Join(", ", names);
        text.Append(list.Length == 0 ? "" : $"; {what}: {list}");
    }
}
