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

    /// <summary>What happens to a second operation while one is running on the same connection or context. Not a PgBouncer setting.</summary>
    /// <value>Default <see cref="ConcurrentUseMode.Throw"/>.</value>
    public ConcurrentUseMode ConcurrentUse { get; set; } = ConcurrentUseMode.Throw;

    /// <summary>What happens to a command that starts while a reader of the same connection is open and idle. Not a PgBouncer setting.</summary>
    /// <value>Default <see cref="NestedCommandMode.Refuse"/>, which is what Npgsql does.</value>
    public NestedCommandMode NestedCommands { get; set; } = NestedCommandMode.Refuse;

    /// <summary>
    /// Share of operations whose stack is captured when they begin, so that <see cref="ConcurrentUseException"/> names the call site of
    /// the one that was running. Not a PgBouncer setting.
    /// </summary>
    /// <remarks>
    /// A captured stack costs some tens of microseconds, more when it is deep. Use 1 in development and tests. Whatever the share, statements that have been part of
    /// a conflict are captured from then on.
    /// </remarks>
    /// <value>Default 0: none. Range 0 to 1, which is all.</value>
    public double CallSiteSampling { get; set; }

    /// <inheritdoc/>
    protected override void Validate(ICollection<string> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        base.Validate(errors);
        if (!Enum.IsDefined(PoolMode))
        {
            errors.Add($"PoolMode is {(int)PoolMode}; it must be Transaction, Session or Statement.");
        }

        if (!Enum.IsDefined(ConcurrentUse))
        {
            errors.Add($"ConcurrentUse is {(int)ConcurrentUse}; it must be Throw, Serialize, Log or Off.");
        }

        if (!Enum.IsDefined(NestedCommands))
        {
            errors.Add($"NestedCommands is {(int)NestedCommands}; it must be Refuse or OwnServerConnection.");
        }

        if (!(CallSiteSampling >= 0 && CallSiteSampling <= 1))
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"CallSiteSampling is {CallSiteSampling}; it must be between 0 and 1."));
        }
    }
}
