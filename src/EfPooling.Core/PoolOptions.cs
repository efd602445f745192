using System.Globalization;

namespace EfPooling.Core;

/// <summary>
/// Settings of one pool. The names are PgBouncer's in .NET casing; the meaning is PgBouncer's unless a member says otherwise.
/// </summary>
/// <remarks>
/// A pool validates and copies its options when it is created; later changes to the object have no effect on it.
/// Two instances with equal values are equal.
/// </remarks>
public record PoolOptions
{
    /// <summary>Name of the pool in logs, exceptions and snapshots.</summary>
    /// <value>Default <c>null</c>: the owner of the pool chooses one (for PostgreSQL: <c>database@host</c>, or the host alone if the connection string names no database).</value>
    public string? Name { get; set; }

    /// <summary>Most server connections the pool opens, not counting the reserve (PgBouncer <c>default_pool_size</c>).</summary>
    /// <value>Default 20. Range 1 to 10,000.</value>
    public int MaxPoolSize { get; set; } = 20;

    /// <summary>Server connections that are kept open even when no caller needs them (PgBouncer <c>min_pool_size</c>).</summary>
    /// <value>Default 0. Range 0 to <see cref="MaxPoolSize"/>.</value>
    public int MinPoolSize { get; set; }

    /// <summary>
    /// Further server connections for callers that have waited for <see cref="ReservePoolTimeout"/> (PgBouncer
    /// <c>reserve_pool_size</c>).
    /// </summary>
    /// <value>Default 0: no reserve. Range 0 to 10,000.</value>
    public int ReservePoolSize { get; set; }

    /// <summary>How long a caller must have waited before the reserve opens for it (PgBouncer <c>reserve_pool_timeout</c>).</summary>
    /// <value>Default 5 s. Greater than zero. No effect while <see cref="ReservePoolSize"/> is 0.</value>
    public TimeSpan ReservePoolTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Most server connections that are being opened at the same time. Not a PgBouncer setting.</summary>
    /// <value>Default 4. Range 1 to 1,000.</value>
    public int MaxConcurrentOpens { get; set; } = 4;

    /// <summary>Age at which a server connection is replaced (PgBouncer <c>server_lifetime</c>).</summary>
    /// <remarks>
    /// Each connection lives between 90 % and 100 % of this, chosen when it is opened. At most one connection is replaced
    /// for this reason per <c>ServerLifetime / MaxPoolSize</c>, so a pool never loses its connections all at once.
    /// </remarks>
    /// <value>Default 1 h. Zero: no limit.</value>
    public TimeSpan ServerLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Longest time an unused server connection is kept (PgBouncer <c>server_idle_timeout</c>).</summary>
    /// <value>Default 1 h. Zero keeps it for ever. Never goes below <see cref="MinPoolSize"/>.</value>
    public TimeSpan ServerIdleTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// A server connection that was idle for longer is checked with a round trip before it is handed out (PgBouncer <c>server_check_delay</c>).
    /// </summary>
    /// <remarks>
    /// After a connection broke or failed this check, the connections that were idle at that time are checked at their next use
    /// as well.
    /// </remarks>
    /// <value>Default 30 s. Zero: check every time. <see cref="Timeout.InfiniteTimeSpan"/>: never.</value>
    public TimeSpan ServerCheckDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time that opening one server connection, login included, may take (PgBouncer <c>server_connect_timeout</c>).</summary>
    /// <value>Default 15 s. Greater than zero.</value>
    public TimeSpan ServerConnectTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Longest pause between failing attempts to open a server connection without a waiting caller (PgBouncer
    /// <c>server_login_retry</c>).
    /// </summary>
    /// <remarks>
    /// While callers ask, an attempt begins at most a second after the last one has failed; until then they get its error. The
    /// pause starts at 100 ms and doubles with each failure in a row, plus or minus a random tenth. PgBouncer waits the full time
    /// at once.
    /// </remarks>
    /// <value>Default 15 s. Greater than zero.</value>
    public TimeSpan ServerLoginRetry { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Reuse the server connection that was idle the longest instead of the one used last (PgBouncer <c>server_round_robin</c>).
    /// </summary>
    /// <value>Default <c>false</c>, so that surplus connections grow old and are closed.</value>
    public bool ServerRoundRobin { get; set; }

    /// <summary>
    /// Longest time that a caller waits for a server connection, opening it included (PgBouncer <c>query_wait_timeout</c>).
    /// </summary>
    /// <value>
    /// Default 30 s (PgBouncer: 120 s), which is ADO.NET's default command time-out: the client of a caller that waits longer has
    /// usually timed out itself. Zero: wait without limit.
    /// </value>
    public TimeSpan QueryWaitTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Adds a sentence to <paramref name="errors"/> for every value outside its range.</summary>
    /// <param name="errors">Receives one sentence per bad value: its name, the value and the allowed range.</param>
    protected internal virtual void Validate(ICollection<string> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        Range(nameof(MaxPoolSize), MaxPoolSize, 1, 10_000);
        Range(nameof(MinPoolSize), MinPoolSize, 0, Math.Max(0, MaxPoolSize));
        Range(nameof(ReservePoolSize), ReservePoolSize, 0, 10_000);
        Range(nameof(MaxConcurrentOpens), MaxConcurrentOpens, 1, 1_000);
        Positive(nameof(ReservePoolTimeout), ReservePoolTimeout);
        Positive(nameof(ServerConnectTimeout), ServerConnectTimeout);
        Positive(nameof(ServerLoginRetry), ServerLoginRetry);
        ZeroOrMore(nameof(ServerLifetime), ServerLifetime);
        ZeroOrMore(nameof(ServerIdleTimeout), ServerIdleTimeout);
        ZeroOrMore(nameof(QueryWaitTimeout), QueryWaitTimeout);
        if (ServerCheckDelay != Timeout.InfiniteTimeSpan)
        {
            ZeroOrMore(nameof(ServerCheckDelay), ServerCheckDelay);
        }

        void Range(string name, int value, int min, int max)
        {
            if (value < min || value > max)
            {
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it must be between {min} and {max}."));
            }
        }

        void Positive(string name, TimeSpan value)
        {
            if (value <= TimeSpan.Zero || value > Longest)
            {
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it must be greater than zero and at most {Longest.TotalDays:0} days."));
            }
        }

        void ZeroOrMore(string name, TimeSpan value)
        {
            if (value < TimeSpan.Zero || value > Longest)
            {
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it must be between zero and {Longest.TotalDays:0} days."));
            }
        }
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="InvalidPoolOptionsException">At least one value is outside its range; the message names each.</exception>
    public void ThrowIfInvalid()
    {
        var errors = new List<string>();
        Validate(errors);
        if (errors.Count > 0)
        {
            throw new InvalidPoolOptionsException(errors);
        }
    }

    // The longest time for which a synchronous caller can wait on a task is a little over 24 days.
    internal static readonly TimeSpan Longest = TimeSpan.FromDays(24);
}
