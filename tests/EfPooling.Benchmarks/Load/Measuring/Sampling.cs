namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>One run of a <see cref="BackendSampler"/>.</summary>
internal sealed class Sampling : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource _end = new();
    private readonly Task<int> _counting;

    public Sampling(BackendSampler sampler, string applicationName) => _counting = CountAsync(sampler, applicationName, _end.Token);

    /// <summary>Stops counting.</summary>
    /// <returns>The highest number seen.</returns>
    public async Task<int> EndAsync()
    {
        await _end.CancelAsync();
        return await _counting;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _end.Dispose();
    }

    private static async Task<int> CountAsync(BackendSampler sampler, string applicationName, CancellationToken end)
    {
        var peak = 0;
        while (true)
        {
            peak = Math.Max(peak, (await sampler.ReadBackendsAsync(applicationName)).Count);
            if (end.IsCancellationRequested)
            {
                return peak;
            }

            await Task.Delay(Interval, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
