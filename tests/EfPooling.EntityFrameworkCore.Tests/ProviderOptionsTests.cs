using System.Data.Common;
using System.Reflection;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>
/// What we rely on in the provider's internals. If a test here fails after an upgrade of the provider, look at ProviderOptions,
/// PooledCommand and TransactionPoolingEntityFrameworkServices.
/// </summary>
#pragma warning disable EF1001 // These tests exist because of it.
public sealed class ProviderOptionsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    // A new setting of the provider must be read by ProviderOptions, or be known to have no meaning for a connection.
    [Fact]
    public void SettingsOfTheProvider_AreTheOnesWeKnow()
        => Assert.Equal(
            [
                "AdminDatabase", "DataSource", "DataSourceBuilderAction", "EnumDefinitions", "Info", "IsPostgresVersionSet", "MinBatchSize", "ParameterizedCollectionMode",
                "PostgresVersion", "ProvideClientCertificatesCallback", "ProvidePasswordCallback", "RemoteCertificateValidationCallback",
                "ReverseNullOrdering", "UseRedshift", "UserRangeDefinitions",
            ],
            typeof(NpgsqlOptionsExtension).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(property => property.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void ConnectionOfTheProvider_TellsItsDataSource()
    {
        using var shop = database.CreateShop("provider's connection");
        Assert.IsType<NpgsqlRelationalConnection>(shop.GetService<IRelationalConnection>());
        Assert.Equal(typeof(DbDataSource), typeof(INpgsqlRelationalConnection).GetProperty(nameof(INpgsqlRelationalConnection.DataSource))?.PropertyType);
    }

    [Theory]
    [InlineData(typeof(IRelationalDatabaseCreator), typeof(NpgsqlDatabaseCreator))]
    [InlineData(typeof(IMigrator), typeof(NpgsqlMigrator))]
    public void ServicesThatWeDecorate_AreRegisteredByTypeAndScoped(Type service, Type implementation)
    {
        var descriptor = Assert.Single(new ServiceCollection().AddEntityFrameworkNpgsql(), descriptor => descriptor.ServiceType == service);
        Assert.Equal((implementation, ServiceLifetime.Scoped), (descriptor.ImplementationType, descriptor.Lifetime));
        var ours = Assert.Single(new ServiceCollection().AddEntityFrameworkTransactionPooling(), descriptor => descriptor.ServiceType == service);
        Assert.Equal(ServiceLifetime.Scoped, ours.Lifetime);
        Assert.NotNull(ours.ImplementationFactory);
    }

    [Fact]
    public async Task SaveChangesOfTheProvider_StillCastsTheReader_OrDetachingItCanGo()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("cast"));
        await using var connection = pool.CreateConnection();
        await using var withoutPooling = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(connection).Options);
        withoutPooling.Add(new Customer { Name = "cast" });
        var error = await Assert.ThrowsAnyAsync<Exception>(() => withoutPooling.SaveChangesAsync());
        Assert.IsType<InvalidCastException>(error.GetBaseException());
        PoolAssert.NothingLeased(pool);
    }

    [Fact]
    public async Task MapEnumAndPlugins_ReachTheServerConnections()
    {
        Assert.NotNull(typeof(INpgsqlDataSourceConfigurationPlugin).GetMethod(nameof(INpgsqlDataSourceConfigurationPlugin.Configure), [typeof(NpgsqlDataSourceBuilder)]));
        await using var internals = new ServiceCollection().AddEntityFrameworkTransactionPooling()
            .AddSingleton<INpgsqlDataSourceConfigurationPlugin, Renaming>().BuildServiceProvider();
        await using var shop = new Shop(
            new DbContextOptionsBuilder<Shop>().UseNpgsql(database.For("plugin")).UseTransactionPooling().UseInternalServiceProvider(internals).Options);
        Assert.Equal("renamed by plugin", await shop.GetApplicationNameAsync());
    }

#pragma warning disable CS0618 // Obsolete, but it works with the provider.
    [Fact]
    public async Task ProvidePasswordCallback_GivesThePassword()
    {
        var connectionString = new NpgsqlConnectionStringBuilder(database.For("password callback")) { Password = null }.ConnectionString;
        await using var shop = new Shop(new DbContextOptionsBuilder<Shop>()
            .UseNpgsql(connectionString, npgsql => npgsql.ProvidePasswordCallback((_, _, _, _) => database.Password)).UseTransactionPooling().Options);
        Assert.Equal("password callback", await shop.GetApplicationNameAsync());
        Assert.True(await shop.Database.CanConnectAsync());
    }
#pragma warning restore CS0618

    private sealed class Renaming : INpgsqlDataSourceConfigurationPlugin
    {
        public void Configure(NpgsqlDataSourceBuilder npgsqlDataSourceBuilder) => npgsqlDataSourceBuilder.ConnectionStringBuilder.ApplicationName = "renamed by plugin";
    }
}
