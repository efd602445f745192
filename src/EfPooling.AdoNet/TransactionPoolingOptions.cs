using System.Globalization;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>Settings of a pool of PostgreSQL connections.</summary>
/// <remarks>
/// Order of precedence: what is set here, then the connection string's keywords (<c>Maximum Pool Size</c>, <c>Minimum Pool Size</c>,
/// <c>Connection Lifetime</c>, <c>Connection Idle Lifetime</c>, <c>Timeout</c>), then the defaults.
/// </remarks>
public record TransactionPoolingOptions : PoolOptions
{
    /// <summary>When a server connection goes back to the pool (PgBouncer <c>pool_mode</c>).</summary>
    /// <value>Default <see cref="PoolMode.Transaction"/>; PgBouncer's is session.</value>
    public PoolMode PoolMode { get; set; } = PoolMode.Transaction;

    /// <summary>
    /// How many notifications wait for one subscriber of <see cref="TransactionPoolingDataSource.SubscribeAsync"/> at most. If it falls further
    /// behind, it is told of a gap instead of them. Not a PgBouncer setting.
    /// </summary>
    /// <value>Default 10,000. Range 1 to 1,000,000.</value>
    public int NotificationBacklog { get; set; } = 10_000;

    /// <inheritdoc/>
    protected internal override void Validate(ICollection<string> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        base.Validate(errors);
        if (!Enum.IsDefined(PoolMode))
        {
            errors.Add($"PoolMode is {(int)PoolMode}; it must be Transaction, Session or Statement.");
        }

        if (NotificationBacklog is < 1 or > 1_000_000)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"NotificationBacklog is {NotificationBacklog}; it must be between 1 and 1000000."));
        }
    }
}
