namespace EfPooling.Core;

/// <summary>What ends the wait for a check, apart from its answer: the time limit and the caller's token.</summary>
internal sealed class CheckLimit : IDisposable
{
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _cancellation;

    public CheckLimit(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(static over => ((TaskCompletionSource)over!).TrySetResult(), _over, limit, Timeout.InfiniteTimeSpan);
        _cancellation = cancellationToken.UnsafeRegister(static over => ((TaskCompletionSource)over!).TrySetResult(), _over);
    }

    public Task Over => _over.Task;

    public void Dispose()
    {
        _timer.Dispose();
        _cancellation.Dispose();
    }
}
