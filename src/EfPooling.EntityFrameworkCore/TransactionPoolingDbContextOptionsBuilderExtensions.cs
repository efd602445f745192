using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using EfPooling.EntityFrameworkCore.Interceptors;
using Microsoft.EntityFrameworkCore.Infrastructure;

// In the namespace in which users of EF Core find it.
namespace Microsoft.EntityFrameworkCore;

/// <summary>Switches transaction pooling on for a <see cref="DbContext"/>.</summary>
public static class TransactionPoolingDbContextOptionsBuilderExtensions
{
    /// <summary>
    /// Lets the context hold a PostgreSQL connection only while a command or transaction runs. Call it before or after <c>UseNpgsql</c>.
    /// </summary>
    /// <remarks>
    /// Contexts with the same connection string, Npgsql configuration and options share one pool. It is removed after
    /// <see cref="TransactionPoolingOptions.PoolIdleTimeout"/> without use. Contexts with other options get another pool. A
    /// callback such as <c>ConfigureDataSource</c> counts as the same if it is the same code. The first one configures the pool,
    /// as it would configure the provider's data source, so it must do the same each time. A
    /// <see cref="TransactionPoolingDataSource"/> registered with <c>AddTransactionPooling</c> is used if <c>UseNpgsql</c> names
    /// no connection string, or the same one without options of its own here.
    /// </remarks>
    /// <param name="optionsBuilder">The builder of the context's options.</param>
    /// <param name="configure">
    /// Sets the pool's options and overrides the connection string's keywords. Called when the first connection is created, after
    /// the callbacks of earlier calls.
    /// </param>
    /// <returns>The same builder.</returns>
    public static DbContextOptionsBuilder UseTransactionPooling(
        this DbContextOptionsBuilder optionsBuilder, Action<TransactionPoolingOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(optionsBuilder);
        var earlier = optionsBuilder.Options.FindExtension<TransactionPoolingOptionsExtension>();
        ((IDbContextOptionsBuilderInfrastructure)optionsBuilder).AddOrUpdateExtension(new TransactionPoolingOptionsExtension(earlier?.Configure + configure));
        return earlier is null
            ? optionsBuilder.AddInterceptors(PooledConnectionInterceptor.Instance)
            : optionsBuilder;
    }

    /// <inheritdoc cref="UseTransactionPooling(DbContextOptionsBuilder, Action{TransactionPoolingOptions}?)"/>
    public static DbContextOptionsBuilder<TContext> UseTransactionPooling<TContext>(
        this DbContextOptionsBuilder<TContext> optionsBuilder, Action<TransactionPoolingOptions>? configure = null)
        where TContext : DbContext
    {
        UseTransactionPooling((DbContextOptionsBuilder)optionsBuilder, configure);
        return optionsBuilder;
    }
}
