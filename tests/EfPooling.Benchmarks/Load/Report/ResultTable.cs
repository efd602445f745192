namespace EfPooling.Benchmarks.Load.Report;

/// <summary>A table of texts.</summary>
/// <param name="Columns">Headings.</param>
/// <param name="TextColumns">How many of them, from the left, hold words; the others hold numbers.</param>
/// <param name="Rows">As many cells in each as there are columns.</param>
internal sealed record ResultTable(IReadOnlyList<string> Columns, int TextColumns, IReadOnlyList<IReadOnlyList<string>> Rows);
