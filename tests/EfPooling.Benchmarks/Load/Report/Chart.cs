namespace EfPooling.Benchmarks.Load.Report;

/// <summary>A picture of results.</summary>
/// <param name="FileName">Without directory and ending.</param>
/// <param name="Title">What is shown, with the unit.</param>
internal abstract record Chart(string FileName, string Title);
