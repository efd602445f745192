using System.Reflection;
using EfPooling.EntityFrameworkCore.Commands;
using EfPooling.EntityFrameworkCore.Guard;
using EfPooling.EntityFrameworkCore.Infrastructure;
using EfPooling.EntityFrameworkCore.Interceptors;
using EfPooling.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>EF Core's internal services, for applications that build them themselves.</summary>
public static class TransactionPoolingEntityFrameworkServices
{
    private static readonly Assembly[] Stock =
    [
        typeof(IDatabaseCreator).Assembly,
        typeof(IRelationalDatabaseCreator).Assembly,
        typeof(NpgsqlDbContextOptionsBuilder).Assembly,
        typeof(TransactionPoolingEntityFrameworkServices).Assembly,
    ];

    /// <summary>
    /// Adds to EF Core's internal services how commands run on the connections of a pool, the support for creating, dropping and
    /// migrating databases, and the messages of the concurrency guard. Called for you, unless the context uses
    /// <c>UseInternalServiceProvider</c>: then call it on the same collection as <c>AddEntityFrameworkNpgsql</c>, which it
    /// includes. Your own replacements of EF Core's services are kept, whether they are added before or after.
    /// </summary>
    /// <param name="serviceCollection">EF Core's internal services, not the application's.</param>
    public static IServiceCollection AddEntityFrameworkTransactionPooling(this IServiceCollection serviceCollection)
    {
        ArgumentNullException.ThrowIfNull(serviceCollection);
        serviceCollection.AddEntityFrameworkNpgsql();
        if (IsStock(serviceCollection, typeof(IRelationalDatabaseCreator)))
        {
            Decorate<IRelationalDatabaseCreator>(
                serviceCollection,
                (services, inner) => new PooledDatabaseCreator(services.GetRequiredService<RelationalDatabaseCreatorDependencies>(), inner));
        }

        Decorate<IMigrator>(
            serviceCollection, (services, inner) => new PooledMigrator(services.GetRequiredService<ICurrentDbContext>(), inner));
        Decorate<IBatchExecutor>(serviceCollection, (_, inner) => new PooledBatchExecutor(inner));
        Decorate<IMigrationCommandExecutor>(serviceCollection, (_, inner) => new PooledMigrationCommandExecutor(inner));
        ReplaceStock(serviceCollection, ServiceDescriptor.Scoped(CreateDatabaseCreator));
        ReplaceStock(serviceCollection, ServiceDescriptor.Singleton<IRelationalCommandBuilderFactory, PooledCommandBuilderFactory>());
        ReplaceStock(serviceCollection, ServiceDescriptor.Scoped<IConcurrencyDetector, ContextGuard>());
        if (!serviceCollection.Any(service => service.ServiceType == typeof(PoolingServices)))
        {
            serviceCollection.AddSingleton(PoolingServices.Instance);
            serviceCollection.AddSingleton(ForeignCommandInterceptor.IfNeeded);
        }

        return serviceCollection;
    }

    // For EnsureCreated, EnsureDeleted and the migrator. An application's own creator is not decorated: ReplaceService removes
    // the decoration.
    private static IDatabaseCreator CreateDatabaseCreator(IServiceProvider services)
        => services.GetRequiredService<IRelationalDatabaseCreator>() switch
        {
            PooledDatabaseCreator ours => ours,
            var replaced => new ReplacedDatabaseCreator(services.GetRequiredService<RelationalDatabaseCreatorDependencies>(), replaced),
        };

    private static void ReplaceStock(IServiceCollection services, ServiceDescriptor ours)
    {
        if (IsStock(services, ours.ServiceType))
        {
            services.Replace(ours);
        }
    }

    // Whether the service would be EF Core's, the provider's or ours. The application has added any other one on purpose.
    private static bool IsStock(IServiceCollection services, Type serviceType)
    {
        var implementation = services.LastOrDefault(service => service.ServiceType == serviceType) switch
        {
            { ImplementationType: { } type } => type.Assembly,
            { ImplementationFactory: { } factory } => factory.Method.Module.Assembly,
            _ => null,
        };
        return implementation is not null && Stock.Contains(implementation);
    }

    // An implementation registered by type is kept and wrapped. A factory means that it has been wrapped already.
    private static void Decorate<TService>(IServiceCollection services, Func<IServiceProvider, TService, TService> wrap)
        where TService : class
    {
        if (services.LastOrDefault(service => service.ServiceType == typeof(TService)) is { ImplementationType: { } implementation } descriptor)
        {
            services.Replace(ServiceDescriptor.Describe(
                typeof(TService),
                provider => wrap(provider, (TService)ActivatorUtilities.CreateInstance(provider, implementation)),
                descriptor.Lifetime));
        }
    }
}
