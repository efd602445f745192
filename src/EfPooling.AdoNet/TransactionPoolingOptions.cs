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

    /// <inheritdoc/>
    protected override void Validate(ICollection<string> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        base.Validate(errors);
        if (!Enum.IsDefined(PoolMode))
        {
            errors.Add($"PoolMode is {(int)PoolMode}; it must be Transaction, Session or Statement.");
        }
    }
}
