namespace EfPooling.Core;

/// <summary>
/// When a server connection has lived long enough. Jitter: each lives between 90 % and 100 % of the limit, fixed when it is
/// opened. Spacing: at most one retirement per limit / MaxPoolSize, so connections opened together are not closed together.
/// Guarded by the gate.
/// </summary>
internal sealed class LifetimePolicy(PoolOptions options, PoolClock clock, Random random)
{
    private readonly long _limit = clock.Length(options.ServerLifetime);
    private readonly long _spacing = clock.Length(options.ServerLifetime / options.MaxPoolSize);
    private long? _lastRetirement;

    public long ExpiresAt(long openedAt)
        => _limit == 0 ? long.MaxValue : openedAt + _limit - (long)(random.NextDouble() * 0.1 * _limit);

    public bool ShouldRetire(long expiresAt, long now)
        => expiresAt <= now && (_lastRetirement is not { } last || now - last >= _spacing);

    public void Retired(long now) => _lastRetirement = now;
}
