namespace EfPooling.Benchmarks.Load.Report;

/// <summary>Lines over steps that are the same for all of them.</summary>
/// <param name="FileName">Without directory and ending.</param>
/// <param name="Title">What is shown, with the unit.</param>
/// <param name="StepTitle">What the steps are.</param>
/// <param name="Steps">From left to right, at equal distances.</param>
/// <param name="Lines">The values by name of the line, one for each step.</param>
internal sealed record LineChart(string FileName, string Title, string StepTitle, IReadOnlyList<string> Steps, IReadOnlyList<LineChart.Line> Lines) : Chart(FileName, Title)
{
    /// <summary>One line.</summary>
    internal sealed record Line(string Series, IReadOnlyList<double> Values);
}
