using EfPooling.AdoNet;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>Two contexts with equal keys share a pool.</summary>
/// <param name="ConnectionString">Normalised.</param>
/// <param name="Provider">The configuration by <c>UseNpgsql</c>.</param>
/// <param name="Options">The configuration by <c>UseTransactionPooling</c>; compared by value.</param>
internal sealed record PoolKey(string ConnectionString, ProviderConfiguration Provider, TransactionPoolingOptions Options)
{
    /// <summary>Only the type's name, because the connection string contains the password.</summary>
    public override string ToString() => nameof(PoolKey);
}
