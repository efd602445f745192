using System.Data.Common;
using EfPooling.Benchmarks.Load.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>A peer with pools of its own, for ADO.NET, Dapper and EF Core together. Disposing closes all of its connections.</summary>
internal sealed class PeerSession : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private PeerSession(ServiceProvider services)
    {
        _services = services;
        DataSource = services.GetRequiredService<DbDataSource>();
        Contexts = services.GetRequiredService<IDbContextFactory<BenchDb>>();
    }

    public DbDataSource DataSource { get; }

    public IDbContextFactory<BenchDb> Contexts { get; }

    /// <summary>A session on a pool of Npgsql's own.</summary>
    public static PeerSession OnNpgsql(NpgsqlConnectionStringBuilder keywords)
    {
        var source = NpgsqlDataSource.Create(keywords.ConnectionString);
        return Create(
            services => services.AddSingleton(_ => source).AddSingleton<DbDataSource>(provider => provider.GetRequiredService<NpgsqlDataSource>()),
            options => options.UseNpgsql(source));
    }

    /// <param name="addDataSource">Registers the <see cref="DbDataSource"/>.</param>
    /// <param name="configure">Lets contexts use it.</param>
    public static PeerSession Create(Action<IServiceCollection> addDataSource, Action<DbContextOptionsBuilder> configure)
    {
        var services = new ServiceCollection();
        addDataSource(services);
        services.AddPooledDbContextFactory<BenchDb>(options =>
        {
            configure(options);

            // There is one for each session, which is what we want.
            options.ConfigureWarnings(warnings => warnings.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning));
        });
        return new PeerSession(services.BuildServiceProvider());
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
