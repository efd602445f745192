namespace EfPooling.AdoNet.Tests;

/// <summary>One statement of the corpus: its line in the file, the text itself, how the server takes it.</summary>
internal sealed record SqlCorpusEntry(string Line, string Sql, SqlCorpusUse Use);
