using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>Finds the pool of a context: the application's registered one if it fits, else the one that contexts with the same settings share.</summary>
internal static class PoolResolver
{
    /// <exception cref="InvalidOperationException">The context does not use transaction pooling, or says nowhere what to connect to.</exception>
    public static TransactionPoolingDataSource Resolve(DbContext context)
    {
        var options = context.GetService<IDbContextOptions>();
        var extension = options.FindExtension<TransactionPoolingOptionsExtension>()
            ?? throw new InvalidOperationException($"{context.GetType().Name} does not use transaction pooling. Call UseTransactionPooling() where its options are configured.");
        var services = options.FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider;
        var registered = services?.GetService<TransactionPoolingDataSource>();
        return ProviderOptions.GetTarget(context) switch
        {
            { DataSource: TransactionPoolingDataSource pool } => pool,
            { DataSource: NpgsqlDataSource dataSource } => ForDataSource(dataSource, extension, Loggers(options, services)),
            { DataSource: { } other } => throw new InvalidOperationException($"UseTransactionPooling works on an NpgsqlDataSource or a TransactionPoolingDataSource, not on a {other.GetType().Name}. Pass one of these to UseNpgsql."),
            { ConnectionString: { } connectionString } => ForConnectionString(context, connectionString, extension, registered, Loggers(options, services)),
            _ => registered ?? throw new InvalidOperationException("There is nothing to connect to. Pass a connection string or data source to UseNpgsql, or register a pool with services.AddTransactionPooling(connectionString)."),
        };
    }

    private static TransactionPoolingDataSource ForDataSource(NpgsqlDataSource dataSource, TransactionPoolingOptionsExtension extension, ILoggerFactory? loggers)
    {
        var builder = new TransactionPoolingDataSourceBuilder(dataSource);
        return GetOrCreate(builder, extension, loggers, options => new PoolKey(null, dataSource, null, options));
    }

    private static TransactionPoolingDataSource ForConnectionString(
        DbContext context,
        string connectionString,
        TransactionPoolingOptionsExtension extension,
        TransactionPoolingDataSource? registered,
        ILoggerFactory? loggers)
    {
        var normalised = PoolFamily.Normalise(new NpgsqlConnectionStringBuilder(connectionString));
        var provider = ProviderOptions.GetConfiguration(context);
        if (registered is not null && extension.Configure is null && provider.IsEmpty && registered.IsFor(normalised))
        {
            return registered;
        }

        var builder = new TransactionPoolingDataSourceBuilder(connectionString).ConfigureNpgsql(provider.Apply);
        return GetOrCreate(builder, extension, loggers, options => new PoolKey(normalised, null, provider, options));
    }

    private static TransactionPoolingDataSource GetOrCreate(
        TransactionPoolingDataSourceBuilder builder, TransactionPoolingOptionsExtension extension, ILoggerFactory? loggers, Func<TransactionPoolingOptions, PoolKey> key)
    {
        if (extension.Configure is not null)
        {
            builder.ConfigureOptions(extension.Configure);
        }

        if (loggers is not null)
        {
            builder.UseLoggerFactory(loggers);
        }

        return PoolRegistry.GetOrCreate(key(builder.GetOptions()), builder.Build);
    }

    private static ILoggerFactory? Loggers(IDbContextOptions options, IServiceProvider? services)
        => options.FindExtension<CoreOptionsExtension>()?.LoggerFactory ?? services?.GetService<ILoggerFactory>();
}
