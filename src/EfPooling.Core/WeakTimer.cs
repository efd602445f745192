namespace EfPooling.Core;

/// <summary>
/// Calls its target for as long as the target is referenced. A plain timer keeps everything alive that its callback uses, and so
/// would keep a pool without other references. Stops by itself once the target is gone.
/// </summary>
internal sealed class WeakTimer<T> : IDisposable
    where T : class
{
    private readonly WeakReference<T> _target;
    private readonly Action<T> _act;
    private volatile ITimer? _timer; // written once, perhaps after the first call

    /// <param name="time">Source of time.</param>
    /// <param name="period">Time before each call. <see cref="Timeout.InfiniteTimeSpan"/>: no call before <see cref="CallOnce"/>.</param>
    /// <param name="target">The object to call.</param>
    /// <param name="act">What to do. It must not capture the target.</param>
    public WeakTimer(TimeProvider time, TimeSpan period, T target, Action<T> act)
    {
        (_target, _act) = (new WeakReference<T>(target), act);
        CleanContext.Run(
            static self => self.Timer._timer = self.Time.CreateTimer(static timer => ((WeakTimer<T>)timer!).Tick(), self.Timer, self.Period, self.Period),
            (Timer: this, Time: time, Period: period));
    }

    /// <summary>Calls the target once, after that time, and not at any time set before.</summary>
    public void CallOnce(TimeSpan dueTime) => _timer?.Change(dueTime, Timeout.InfiniteTimeSpan);

    public void Dispose() => _timer?.Dispose();

    private void Tick()
    {
        if (_target.TryGetTarget(out var target))
        {
            _act(target);
        }
        else
        {
            Dispose();
        }
    }
}
