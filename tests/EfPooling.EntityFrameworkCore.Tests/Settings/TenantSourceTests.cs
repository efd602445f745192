using System.Data.Common;
using Dapper;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>Where a context gets its tenant from and its connections: each user has his own value, although the pool is shared.</summary>
public sealed class TenantSourceTests(TenantDatabase database) : IClassFixture<TenantDatabase>
{
    private const string CurrentTenant = "SELECT current_setting('app.tenant_id', true)";

    [Fact]
    public async Task PooledContext_HasTheValueOfItsPresentUser()
    {
        await using var provider = new ServiceCollection().AddDbContextPool<PooledNotebook>(
            options => options.UseNpgsql(database.For("context pool")).UseTransactionPooling(pool =>
            {
                pool.MaxPoolSize = 1;
                Notebook.DeclareTenant(pool);
            }),
            poolSize: 1).BuildServiceProvider();
        Notebook? pooled = null;
        foreach (var tenant in new[] { "a", "b", "a", "c" })
        {
            await using var scope = provider.CreateAsyncScope();
            var notebook = scope.ServiceProvider.GetRequiredService<PooledNotebook>();
            Assert.Same(pooled ??= notebook, notebook);
            notebook.Tenant = tenant;
            Assert.Equal(tenant, await notebook.Database.SqlQueryRaw<string>($"{CurrentTenant} AS \"Value\"").SingleAsync());
            await notebook.Database.OpenConnectionAsync();
            Assert.Equal(tenant, await notebook.Database.GetDbConnection().QuerySingleAsync<string>(CurrentTenant));
            await notebook.Database.BeginTransactionAsync(); // Given back in the middle of it.
            notebook.Add(new Note { Claimed = tenant, Text = "never committed" });
            await notebook.SaveChangesAsync();
        }

        Assert.Equal(0, await database.AskAsync<long>("SELECT count(*) FROM note WHERE \"Text\" = 'never committed'"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ServicesOfAScope_GiveEachScopeItsOwnValue_OnOnePool(bool asConstant)
    {
        var services = new ServiceCollection().AddScoped<TenantOfScope>();
        services.AddDbContext<Notebook>((scope, options) => options.UseNpgsql(database.For($"scoped {asConstant}")).UseTransactionPooling(pool =>
        {
            pool.MaxPoolSize = 1;
            _ = asConstant
                ? pool.SessionSetting("app.tenant_id", scope.GetRequiredService<TenantOfScope>().Name)
                : pool.SessionSetting("app.tenant_id", _ => scope.GetRequiredService<TenantOfScope>().Name, required: true);
        }));
        await using var provider = services.BuildServiceProvider();
        var scopes = new[] { "a", "b", "c" }.Select(tenant =>
        {
            var scope = provider.CreateScope();
            scope.ServiceProvider.GetRequiredService<TenantOfScope>().Name = tenant;
            return (Tenant: tenant, Notebook: scope.ServiceProvider.GetRequiredService<Notebook>());
        }).ToList();
        foreach (var (tenant, notebook) in scopes.Concat(scopes))
        {
            Assert.Equal(tenant, await notebook.Database.GetDbConnection().QuerySingleAsync<string>(CurrentTenant));
        }

        var pool = Assert.Single(scopes.Select(scope => scope.Notebook.Database.GetTransactionPool()).Distinct());
        Assert.Equal(1, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task RegisteredPool_ServesContextsThatDeclareATenant_AndWhatElseUsesIt()
    {
        var services = new ServiceCollection().AddTransactionPooling(database.For("registered"), options => options.MaxPoolSize = 1);
        services.AddDbContext<Notebook>(options => options.UseNpgsql().UseTransactionPooling(Notebook.DeclareTenant));
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        var notebook = scope.ServiceProvider.GetRequiredService<Notebook>();
        notebook.Tenant = "a";
        Assert.Same(provider.GetRequiredService<TransactionPoolingDataSource>(), notebook.Database.GetTransactionPool());
        await using var other = scope.ServiceProvider.GetRequiredService<DbConnection>();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("a", await notebook.Database.GetDbConnection().QuerySingleAsync<string>(CurrentTenant));
            Assert.True(string.IsNullOrEmpty(await other.QuerySingleAsync<string>(CurrentTenant)));
        }
    }

    [Fact]
    public async Task SetConnectionString_TakesTheTenantAlong()
    {
        var (a, b) = await database.OpenTwoAsync("moved");
        foreach (var name in new[] { "moved elsewhere", "moved", "moved elsewhere" })
        {
            a.Database.SetConnectionString(database.For(name));
            Assert.Equal(a.Tenant, await a.Notes.Select(note => note.Tenant).SingleAsync());
            Assert.Equal(b.Tenant, await b.Notes.Select(note => note.Tenant).SingleAsync());
            Assert.Equal(name, await a.GetApplicationNameAsync());
        }

        a.Tenant = null;
        await Assert.ThrowsAsync<SessionSettingMissingException>(() => a.Notes.ToListAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ContextWithoutATenant_BesideOneThatDeclaresIt_IsNotBotheredByIt(bool tenantFirst)
    {
        var name = $"beside {tenantFirst}";
        var connectionString = database.For(name);
        await using var tenants = new Notebook(new DbContextOptionsBuilder().UseNpgsql(connectionString).UseTransactionPooling(Notebook.DeclareTenant).Options) { Tenant = "a" };
        await using var others = new Notebook(new DbContextOptionsBuilder().UseNpgsql(connectionString).UseTransactionPooling().Options);
        foreach (var notebook in tenantFirst ? new[] { tenants, others } : [others, tenants])
        {
            Assert.Equal(notebook.Tenant, await notebook.Database.GetDbConnection().QuerySingleAsync<string>($"SELECT nullif(({CurrentTenant}), '')"));
        }

        await using var ofTenants = await tenants.Database.GetTransactionPool().OpenConnectionAsync();
        await Assert.ThrowsAsync<SessionSettingMissingException>(() => ofTenants.QuerySingleAsync<string>(CurrentTenant));
        await using var ofOthers = await others.Database.GetTransactionPool().OpenConnectionAsync();
        Assert.Null(await ofOthers.QuerySingleAsync<string>($"SELECT nullif(({CurrentTenant}), '')"));
    }

    [Fact]
    public async Task ConnectionOfTheUser_GivenToAContextThatDeclaresATenant_IsNotUsedWithoutIt()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("somebody's"), options => options.MaxPoolSize = 1);
        await using var connection = pool.CreateConnection();
        await using var notebook = new Notebook(new DbContextOptionsBuilder().UseNpgsql(connection).UseTransactionPooling(Notebook.DeclareTenant).Options) { Tenant = "a" };
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => notebook.Notes.ToListAsync());
        Assert.Contains("'app.tenant_id'", error.Message, StringComparison.Ordinal);
        notebook.Add(new Note { Claimed = "a", Text = "never" });
        Assert.IsType<InvalidOperationException>((await Assert.ThrowsAnyAsync<Exception>(() => notebook.SaveChangesAsync())).GetBaseException());
        Assert.Throws<InvalidOperationException>(() => notebook.Database.ExecuteSqlRaw("DELETE FROM note"));
        Assert.Throws<InvalidOperationException>(() => notebook.Notes.AsSplitQuery().Select(note => note.Text).ToList());
        Assert.Equal(System.Data.ConnectionState.Closed, connection.State);

        connection.SetSessionSetting("app.tenant_id", "b");
        Assert.Equal("b", await notebook.Database.SqlQueryRaw<string>($"{CurrentTenant} AS \"Value\"").SingleAsync());
    }

    [Fact]
    public async Task CommandThatAnInterceptorPutsOnAConnectionWithoutTheTenant_DoesNotRunThere()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("replica"), options => options.MaxPoolSize = 1);
        await using var replica = await pool.OpenConnectionAsync();
        await using var notebook = new Notebook(database.Options("routed", builder => builder.AddInterceptors(new Router(replica)))) { Tenant = "a" };
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => notebook.Notes.ToListAsync());
        Assert.Contains("'app.tenant_id'", error.Message, StringComparison.Ordinal);
        replica.SetSessionSetting("app.tenant_id", "b");
        Assert.Equal("b", await notebook.Database.SqlQueryRaw<string>($"{CurrentTenant} AS \"Value\"").SingleAsync());
    }

    [Fact]
    public async Task TenantThatAnInterceptorSetsWhenTheUsersConnectionOpens_IsInTime()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("opening"), options => options.MaxPoolSize = 1);
        await using var connection = pool.CreateConnection();
        await using var notebook = new Notebook(
            new DbContextOptionsBuilder().UseNpgsql(connection).UseTransactionPooling(Notebook.DeclareTenant).AddInterceptors(new TenantAtOpening()).Options) { Tenant = "a" };
        Assert.Equal("opening", await notebook.Database.SqlQueryRaw<string>($"{CurrentTenant} AS \"Value\"").SingleAsync());
    }

    [Fact]
    public async Task DataSourceOfTheUser_GivenToUseNpgsql_ServesEachTenant()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("data source"), options => options.MaxPoolSize = 1);
        foreach (var tenant in new[] { "a", "b" })
        {
            await using var notebook = new Notebook(new DbContextOptionsBuilder().UseNpgsql(pool).UseTransactionPooling(Notebook.DeclareTenant).Options) { Tenant = tenant };
            Assert.Equal(tenant, await notebook.Database.SqlQueryRaw<string>($"{CurrentTenant} AS \"Value\"").SingleAsync());
        }
    }

    private sealed class TenantOfScope
    {
        public string Name { get; set; } = "";
    }

    private sealed class PooledNotebook(DbContextOptions<PooledNotebook> options) : Notebook(options);

    private sealed class Router(LogicalConnection other) : DbCommandInterceptor
    {
        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            command.Connection = other;
            return new(result);
        }
    }

    private sealed class TenantAtOpening : DbConnectionInterceptor
    {
        public override ValueTask<InterceptionResult> ConnectionOpeningAsync(
            DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
        {
            ((LogicalConnection)connection).SetSessionSetting("app.tenant_id", "opening");
            return new(result);
        }
    }
}
