namespace EfPooling.AdoNet.Tests;

/// <summary>The system's time and timers, with steps of time in between that a test makes.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private long _steps; // Interlocked only

    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _steps);

    public void Step(TimeSpan time) => Interlocked.Add(ref _steps, (long)(time.TotalSeconds * TimestampFrequency));
}
