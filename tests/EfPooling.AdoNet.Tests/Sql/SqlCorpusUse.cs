namespace EfPooling.AdoNet.Tests;

/// <summary>How the server takes a statement of the corpus.</summary>
internal enum SqlCorpusUse
{
    Run,
    Fails,
    Begin,
    NoRun,
}
