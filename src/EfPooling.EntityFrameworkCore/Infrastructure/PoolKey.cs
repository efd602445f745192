using EfPooling.AdoNet;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>What makes two contexts share a pool.</summary>
/// <param name="ConnectionString">Normalised.</param>
/// <param name="Provider">What <c>UseNpgsql</c> configures.</param>
/// <param name="Options">What <c>UseTransactionPooling</c> configures; compared by value.</param>
internal sealed record PoolKey(string ConnectionString, ProviderConfiguration Provider, TransactionPoolingOptions Options)
{
    /// <summary>Nothing, because the connection string contains the password.</summary>
    public override string ToString() => nameof(PoolKey);
}
