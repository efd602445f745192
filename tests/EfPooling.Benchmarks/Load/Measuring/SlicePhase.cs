namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>Where a slice is: warming up, measured, over. Written by its runner, read by all callers.</summary>
internal sealed class SlicePhase
{
    private volatile bool _isMeasured; // written by the runner only
    private volatile bool _isOver; // written by the runner only

    public bool IsMeasured => _isMeasured;

    public bool IsOver => _isOver;

    public void BeginMeasuring() => _isMeasured = true;

    /// <summary>Also ends measuring: what ends later counts for nothing.</summary>
    public void End()
    {
        _isMeasured = false;
        _isOver = true;
    }
}
