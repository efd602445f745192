namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>How long one slice warms up and is measured.</summary>
internal sealed record SliceTimes(TimeSpan WarmUp, TimeSpan Measured);
