using System.Data.Common;
using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Hosting;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Log = EfPooling.EntityFrameworkCore.Log;

// In the namespace in which users of dependency injection find it.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers a transaction pool with the application's services.</summary>
public static class TransactionPoolingServiceCollectionExtensions
{
    /// <summary>
    /// Registers one <see cref="TransactionPoolingDataSource"/> for EF Core and Dapper alike, also as <see cref="DbDataSource"/>,
    /// and its connections as <see cref="LogicalConnection"/> and <see cref="DbConnection"/> (transient). The pool is warmed up
    /// when the host starts and closed when the services are disposed.
    /// </summary>
    /// <remarks>
    /// Replaces the <see cref="DbDataSource"/> and <see cref="DbConnection"/> of <c>AddNpgsqlDataSource</c>, in any order of the
    /// two calls. Any other registration of them stays, and a warning is logged.
    /// </remarks>
    /// <exception cref="InvalidOperationException">A pool is registered already; this one would never be used.</exception>
    /// <param name="services">The application's services.</param>
    /// <param name="connectionString">An Npgsql connection string. Its pooling keywords set the options of the same meaning.</param>
    /// <param name="configure">Sets options and overrides the connection string.</param>
    /// <param name="configureNpgsql">Configures Npgsql: type mapping, password provider, certificates, tracing.</param>
    public static IServiceCollection AddTransactionPooling(
        this IServiceCollection services,
        string connectionString,
        Action<TransactionPoolingOptions>? configure = null,
        Action<Npgsql.NpgsqlDataSourceBuilder>? configureNpgsql = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        return services.AddTransactionPooling(_ =>
        {
            var builder = new TransactionPoolingDataSourceBuilder(connectionString);
            builder = configure is null ? builder : builder.ConfigureOptions(configure);
            return configureNpgsql is null ? builder : builder.ConfigureNpgsql(configureNpgsql);
        });
    }

    /// <inheritdoc cref="AddTransactionPooling(IServiceCollection, string, Action{TransactionPoolingOptions}?, Action{Npgsql.NpgsqlDataSourceBuilder}?)"/>
    /// <param name="services">The application's services.</param>
    /// <param name="connectionString">An Npgsql connection string. Its pooling keywords set the options of the same meaning.</param>
    /// <param name="section">
    /// Configuration with the options as keys, for example <c>MaxPoolSize</c>; overrides the connection string. A key that is not
    /// the name of an option is refused when the pool is created.
    /// </param>
    /// <param name="configure">Sets options and overrides <paramref name="section"/>.</param>
    /// <param name="configureNpgsql">Configures Npgsql: type mapping, password provider, certificates, tracing.</param>
    public static IServiceCollection AddTransactionPooling(
        this IServiceCollection services,
        string connectionString,
        IConfiguration section,
        Action<TransactionPoolingOptions>? configure = null,
        Action<Npgsql.NpgsqlDataSourceBuilder>? configureNpgsql = null)
    {
        ArgumentNullException.ThrowIfNull(section);
        Action<TransactionPoolingOptions> bind = options => OptionsSection.Bind(section, options);
        return services.AddTransactionPooling(connectionString, bind + configure, configureNpgsql);
    }

    /// <inheritdoc cref="AddTransactionPooling(IServiceCollection, string, Action{TransactionPoolingOptions}?, Action{Npgsql.NpgsqlDataSourceBuilder}?)"/>
    /// <param name="services">The application's services.</param>
    /// <param name="create">
    /// Creates the builder; called once. The application's logging is added to it unless it has another.
    /// </param>
    public static IServiceCollection AddTransactionPooling(
        this IServiceCollection services, Func<IServiceProvider, TransactionPoolingDataSourceBuilder> create)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(create);
        if (services.Any(service => service.ServiceType == typeof(TransactionPoolingDataSource) && !service.IsKeyedService))
        {
            throw new InvalidOperationException("A pool is registered already, and AddTransactionPooling registers one. For a further database, let UseNpgsql name it: its contexts share a pool without being registered; a pool for other code may be registered under a key. To replace the pool, remove the service TransactionPoolingDataSource before.");
        }

        var ours = ServiceDescriptor.Singleton<DbDataSource>(provider => provider.GetRequiredService<TransactionPoolingDataSource>());
        services.AddSingleton(provider =>
        {
            var builder = create(provider);
            var loggers = provider.GetService<ILoggerFactory>();
            var pool = (!builder.HasLoggerFactory && loggers is not null ? builder.UseLoggerFactory(loggers) : builder).Build();
            WarnOfOthers(services, ours, pool);
            return pool;
        });
        AddInPlaceOfNpgsqls(services, ours);
        services.TryAddTransient(provider => provider.GetRequiredService<TransactionPoolingDataSource>().CreateConnection());
        AddInPlaceOfNpgsqls(services, ServiceDescriptor.Transient<DbConnection>(provider => provider.GetRequiredService<LogicalConnection>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, PoolHostedService>());
        return services;
    }

    // AddNpgsqlDataSource registers these for callers of the base class, unless they are registered already. Here the order of
    // the two calls does not matter.
    private static void AddInPlaceOfNpgsqls(IServiceCollection services, ServiceDescriptor ours)
    {
        foreach (var other in services.Where(other => other.ServiceType == ours.ServiceType && IsNpgsqls(other)).ToList())
        {
            services.Remove(other);
        }

        services.TryAdd(ours);
    }

    private static bool IsNpgsqls(ServiceDescriptor service)
        => !service.IsKeyedService && service.ImplementationFactory?.Method.Module.Assembly.GetName().Name?.StartsWith("Npgsql", StringComparison.Ordinal) == true;

    private static void WarnOfOthers(IServiceCollection services, ServiceDescriptor ours, TransactionPoolingDataSource pool)
    {
        if (!ReferenceEquals(services.LastOrDefault(service => service.ServiceType == typeof(DbDataSource) && !service.IsKeyedService), ours))
        {
            Log.OtherDataSource(pool.Logger, pool.Name);
        }

        if (pool.OwnsConnections && services.Any(service => service.ServiceType == typeof(Npgsql.NpgsqlDataSource) && !service.IsKeyedService))
        {
            Log.NpgsqlDataSourceBeside(pool.Logger, pool.Name);
        }
    }
}
