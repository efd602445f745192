using System.Globalization;

namespace EfPooling.Benchmarks.Load.Report;

/// <summary>An axis that begins at zero and has a few round numbers on it.</summary>
internal sealed class ChartScale
{
    private const int Marks = 5;

    private readonly double _step;

    /// <param name="max">The largest value that must fit.</param>
    public ChartScale(double max)
    {
        var rough = Math.Max(max, 1e-9) / Marks;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        _step = new[] { 1, 2, 2.5, 5, 10 }.Select(factor => factor * power).First(step => step >= rough * (1 - 1e-9));
        Top = _step * Math.Max(1, Math.Ceiling((max / _step) - 1e-9));
    }

    /// <summary>The end of the axis.</summary>
    public double Top { get; }

    /// <summary>The numbers on the axis, zero and <see cref="Top"/> included.</summary>
    public IEnumerable<double> Numbers
    {
        get
        {
            for (var i = 0; i <= (int)Math.Round(Top / _step); i++)
            {
                yield return i * _step;
            }
        }
    }

    /// <summary>A number as people read it.</summary>
    public static string Format(double value) => value.ToString(value is >= 100 or 0 ? "N0" : "0.##", CultureInfo.InvariantCulture);
}
