using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// The arguments of <c>UseNpgsql</c>, read through internal API of the provider. The only file that uses it, because nothing else
/// reveals <c>MapEnum</c>, <c>ConfigureDataSource</c> and the data source. ProviderOptionsTests fail when the provider changes
/// it.
/// </summary>
#pragma warning disable EF1001 // See above.
internal static class ProviderOptions
{
    public static bool UsesNpgsql(IDbContextOptions options) => options.FindExtension<NpgsqlOptionsExtension>() is not null;

    /// <summary>The present target of the context, which <c>SetConnectionString</c> and <c>SetDbDataSource</c> change.</summary>
    public static ConnectionTarget GetTarget(DbContext context)
    {
        var connection = context.GetService<IRelationalConnection>();
        var provider = Extension(context);
        return (connection as INpgsqlRelationalConnection)?.DataSource switch
        {
            null => new ConnectionTarget(connection.ConnectionString, null),
            // The provider made it from the connection string, for features that require a data source. Any other one was set
            // since.
            NpgsqlDataSource dataSource when provider is { DataSource: null, ConnectionString: not null }
                && ReferenceEquals(dataSource, context.GetService<NpgsqlDataSourceManager>().GetDataSource(provider, null)) => new ConnectionTarget(provider.ConnectionString, null),
            var dataSource => new ConnectionTarget(null, dataSource),
        };
    }

    /// <summary>Everything that the provider would configure on a data source that it builds itself.</summary>
    public static ProviderConfiguration GetConfiguration(DbContext context)
    {
        var provider = Extension(context);
        var plugins = ((IInfrastructure<IServiceProvider>)context).Instance.GetServices<INpgsqlDataSourceConfigurationPlugin>().ToArray();
        return new ProviderConfiguration(
            [
                .. Methods(provider.DataSourceBuilderAction),
                .. Methods(provider.ProvideClientCertificatesCallback),
                .. Methods(provider.RemoteCertificateValidationCallback),
                .. Methods(PasswordCallback(provider)),
                .. provider.EnumDefinitions,
                .. plugins.Select(plugin => plugin.GetType()),
            ],
            builder => Apply(provider, plugins, builder));
    }

    /// <summary>
    /// Whether <c>UseNpgsql</c> was given no target, so that the provider took this data source from the application's services.
    /// </summary>
    public static bool IsFromServices(DbContext context, NpgsqlDataSource dataSource)
        => Extension(context) is { DataSource: null, ConnectionString: null, Connection: null }
            && ReferenceEquals(context.GetService<IDbContextOptions>().FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider?.GetService<NpgsqlDataSource>(), dataSource);

    /// <summary>The settings of the server: its version, and the database from which others are created and dropped.</summary>
    public static void CopyServer(DbContext context, NpgsqlDbContextOptionsBuilder target)
    {
        var provider = Extension(context);
        target.UseAdminDatabase(provider.AdminDatabase);
        if (provider.IsPostgresVersionSet)
        {
            target.SetPostgresVersion(provider.PostgresVersion);
        }
    }

    // The methods, not their captured variables: options that are built per context capture something of each one. A null ends
    // each part.
    private static IEnumerable<object?> Methods(Delegate? callback)
        => (callback?.GetInvocationList() ?? []).Select(single => (object?)single.Method).Append(null);

    private static void Apply(NpgsqlOptionsExtension provider, INpgsqlDataSourceConfigurationPlugin[] plugins, NpgsqlDataSourceBuilder builder)
    {
        foreach (var definition in provider.EnumDefinitions)
        {
            var name = definition.StoreTypeSchema is null ? definition.StoreTypeName : $"{definition.StoreTypeSchema}.{definition.StoreTypeName}";
            builder.MapEnum(definition.ClrType, name, definition.NameTranslator);
        }

        foreach (var plugin in plugins)
        {
            plugin.Configure(builder);
        }

        if (provider.ProvideClientCertificatesCallback is not null || provider.RemoteCertificateValidationCallback is not null)
        {
            builder.UseSslClientAuthenticationOptionsCallback(ssl =>
            {
                if (provider.ProvideClientCertificatesCallback is { } provide)
                {
                    provide(ssl.ClientCertificates ??= []);
                }

                ssl.RemoteCertificateValidationCallback = provider.RemoteCertificateValidationCallback;
            });
        }

        if (PasswordCallback(provider) is { } password)
        {
            string Provide(NpgsqlConnectionStringBuilder keywords) => password(keywords.Host!, keywords.Port, keywords.Database!, keywords.Username!);
            builder.UsePasswordProvider(Provide, (keywords, _) => ValueTask.FromResult(Provide(keywords)));
        }

        provider.DataSourceBuilderAction?.Invoke(builder); // Last, so that it can change all of the above.
    }

#pragma warning disable CS0618 // Obsolete, but the provider still obeys it.
    private static ProvidePasswordCallback? PasswordCallback(NpgsqlOptionsExtension provider) => provider.ProvidePasswordCallback;
#pragma warning restore CS0618

    private static NpgsqlOptionsExtension Extension(DbContext context)
        => context.GetService<IDbContextOptions>().FindExtension<NpgsqlOptionsExtension>()
            ?? throw new InvalidOperationException("UseTransactionPooling needs the Npgsql provider: call UseNpgsql on the same options.");
}
