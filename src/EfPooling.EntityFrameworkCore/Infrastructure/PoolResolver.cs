using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Commands;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>Finds the pool of a context: the application's registered one if it fits, otherwise the one that contexts with the same settings share.</summary>
internal static class PoolResolver
{
    /// <exception cref="InvalidOperationException">
    /// The context does not use transaction pooling, or has no target to connect to.
    /// </exception>
    public static TransactionPoolingDataSource Resolve(DbContext context)
        => Find(context) ?? throw new InvalidOperationException("There is nothing to connect to. Pass a connection string or data source to UseNpgsql, or register a pool with services.AddTransactionPooling(connectionString).");

    /// <returns><c>null</c>: the target is set later, at the latest when the connection is opened.</returns>
    /// <exception cref="InvalidOperationException">The context does not use transaction pooling.</exception>
    public static TransactionPoolingDataSource? Find(DbContext context)
    {
        var options = context.GetService<IDbContextOptions>();
        var extension = ExtensionOf(context, options);
        return ProviderOptions.GetTarget(context) switch
        {
            { DataSource: TransactionPoolingDataSource pool } => pool,
            { DataSource: NpgsqlDataSource dataSource } => ForDataSource(context, dataSource, extension, options),
            { DataSource: { } other } => throw new InvalidOperationException($"UseTransactionPooling works on an NpgsqlDataSource or a TransactionPoolingDataSource, not on a {other.GetType().Name}. Pass one of these to UseNpgsql."),
            { ConnectionString: { } connectionString } => ForConnectionString(context, connectionString),
            _ => Registered(options),
        };
    }

    /// <summary>A connection that follows the context's options when its connection string changes.</summary>
    /// <param name="context">The context of the connection.</param>
    /// <param name="pool"><c>null</c>: its connection string is set before it is opened.</param>
    public static LogicalConnection CreateConnection(DbContext context, TransactionPoolingDataSource? pool)
    {
        var connection = TransactionPoolingDataSource.CreateConnectionOf(pool, connectionString => ForConnectionString(context, connectionString));
        if (ProviderOptions.GetTarget(context).ConnectionString is { } given)
        {
            connection.ShowingGiven(given);
        }

        connection.Owner = context;
        connection.OwnersUse = static owner => ((DbContext)owner).ContextId.Lease;
        connection.OwnersSettings = ExtensionOf(context, context.GetService<IDbContextOptions>()).DeclaredSettings;
        if (!connection.OwnersSettings.IsEmpty && context.GetService<IRelationalCommandBuilderFactory>() is not PooledCommandBuilderFactory)
        {
            throw new InvalidOperationException(TransactionPoolingOptionsExtension.ForeignCommands); // It was replaced among internal services, which Validate must not resolve.
        }

        return connection;
    }

    /// <summary>The settings that a context declares.</summary>
    public static DeclaredSettings DeclaredBy(DbContext context)
        => context.GetService<IDbContextOptions>().FindExtension<TransactionPoolingOptionsExtension>()?.DeclaredSettings ?? DeclaredSettings.None;

    private static TransactionPoolingDataSource ForDataSource(
        DbContext context, NpgsqlDataSource dataSource, TransactionPoolingOptionsExtension extension, IDbContextOptions options)
    {
        var registered = Registered(options);
        if (registered is not null && !extension.ConfiguresPool && (registered.IsOn(dataSource) || (IsToTheSamePlace(registered, dataSource) && ProviderOptions.IsFromServices(context, dataSource))))
        {
            return registered;
        }

        var pooling = ConnectionStringCache.Get(dataSource.ConnectionString).GetOptions(extension.Configure);
        return SourcePools.GetOrCreate(dataSource, pooling, () =>
        {
            SourcePools.CloseThoseOfDisposedSources();
            var own = Build(new TransactionPoolingDataSourceBuilder(dataSource), extension, options);
            if (registered is not null && IsToTheSamePlace(registered, dataSource))
            {
                Log.OwnPool(own.Logger, context.GetType().Name, registered.Name);
            }

            return own;
        });
    }

    private static bool IsToTheSamePlace(TransactionPoolingDataSource pool, NpgsqlDataSource dataSource)
        => ConnectionStringCache.Get(pool.ConnectionString).Place == ConnectionStringCache.Get(dataSource.ConnectionString).Place;

    private static TransactionPoolingDataSource ForConnectionString(DbContext context, string connectionString)
    {
        var options = context.GetService<IDbContextOptions>();
        var extension = ExtensionOf(context, options);
        var parsed = ConnectionStringCache.Get(connectionString);
        var provider = ProviderOptions.GetConfiguration(context);
        var registered = Registered(options) is { } pool && pool.IsFor(parsed.Normalised) ? pool : null;
        if (registered is not null && !extension.ConfiguresPool && provider.IsEmpty)
        {
            return registered;
        }

        var key = new PoolKey(parsed.Normalised, provider, parsed.GetOptions(extension.Configure));
        return PoolRegistry.GetOrCreate(
            key,
            () =>
            {
                var own = Build(new TransactionPoolingDataSourceBuilder(connectionString).ConfigureNpgsql(provider.Apply), extension, options);
                if (registered is not null)
                {
                    Log.OwnPool(own.Logger, context.GetType().Name, registered.Name);
                }

                return own;
            });
    }

    private static TransactionPoolingDataSource Build(
        TransactionPoolingDataSourceBuilder builder, TransactionPoolingOptionsExtension extension, IDbContextOptions options)
    {
        if (extension.Configure is not null)
        {
            // The values belong to each context. A caller that takes a connection from the pool itself has none of them.
            builder.ConfigureOptions(extension.Configure).ConfigureOptions(pool => pool.DeclaredSettings = pool.DeclaredSettings.WithoutValues());
        }

        var core = options.FindExtension<CoreOptionsExtension>();
        if ((core?.LoggerFactory ?? core?.ApplicationServiceProvider?.GetService<ILoggerFactory>()) is { } loggers)
        {
            builder.UseLoggerFactory(new LastingLoggerFactory(loggers));
        }

        return builder.Build();
    }

    private static TransactionPoolingOptionsExtension ExtensionOf(DbContext context, IDbContextOptions options)
        => options.FindExtension<TransactionPoolingOptionsExtension>()
            ?? throw new InvalidOperationException($"{context.GetType().Name} does not use transaction pooling. Call UseTransactionPooling() where its options are configured.");

    private static TransactionPoolingDataSource? Registered(IDbContextOptions options)
        => options.FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider?.GetService<TransactionPoolingDataSource>();
}
