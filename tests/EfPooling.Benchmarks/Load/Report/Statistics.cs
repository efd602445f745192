namespace EfPooling.Benchmarks.Load.Report;

/// <summary>What is computed from several numbers.</summary>
internal static class Statistics
{
    /// <summary>The one in the middle; the mean of the two in the middle if there is none. There is at least one number.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var ordered = values.Order().ToList();
        return (ordered[(ordered.Count - 1) / 2] + ordered[ordered.Count / 2]) / 2;
    }

    /// <summary>The mean for ratios: twice as fast and half as fast make one.</summary>
    public static double GeometricMean(IEnumerable<double> values) => Math.Exp(values.Average(Math.Log));
}
