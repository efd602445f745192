using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Symbols;

/// <summary>The types that the rules know, found once per compilation. Null: the project does not reference the type. Thread-safe.</summary>
internal sealed class KnownSymbols
{
    private static readonly ConditionalWeakTable<Compilation, KnownSymbols> Cache = new();

    private KnownSymbols(Compilation compilation)
    {
        INamedTypeSymbol? Find(string name) => TypeLookup.Find(compilation, name);

        DbContext = Find("Microsoft.EntityFrameworkCore.DbContext");
        DbSet = Find("Microsoft.EntityFrameworkCore.DbSet`1");
        DatabaseFacade = Find("Microsoft.EntityFrameworkCore.Infrastructure.DatabaseFacade");
        DbContextTransaction = Find("Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction");
        DbContextTransactionExtensions = Find("Microsoft.EntityFrameworkCore.Storage.DbContextTransactionExtensions");
        EntityEntry = Find("Microsoft.EntityFrameworkCore.ChangeTracking.EntityEntry");
        MemberEntry = Find("Microsoft.EntityFrameworkCore.ChangeTracking.MemberEntry");
        NavigationEntry = Find("Microsoft.EntityFrameworkCore.ChangeTracking.NavigationEntry");
        QueryableExtensions = Find("Microsoft.EntityFrameworkCore.EntityFrameworkQueryableExtensions");
        RelationalQueryableExtensions = Find("Microsoft.EntityFrameworkCore.RelationalQueryableExtensions");
        RelationalFacadeExtensions = Find("Microsoft.EntityFrameworkCore.RelationalDatabaseFacadeExtensions");
        DbContextFactory = Find("Microsoft.EntityFrameworkCore.IDbContextFactory`1");
        ConnectionInterceptor = Find("Microsoft.EntityFrameworkCore.Diagnostics.IDbConnectionInterceptor");
        CommandInterceptor = Find("Microsoft.EntityFrameworkCore.Diagnostics.IDbCommandInterceptor");
        TransactionInterceptor = Find("Microsoft.EntityFrameworkCore.Diagnostics.IDbTransactionInterceptor");

        IDbConnection = Find("System.Data.IDbConnection");
        IDbCommand = Find("System.Data.IDbCommand");
        IDbTransaction = Find("System.Data.IDbTransaction");
        DbConnection = Find("System.Data.Common.DbConnection");
        DbCommand = Find("System.Data.Common.DbCommand");
        DbTransaction = Find("System.Data.Common.DbTransaction");
        DbDataReader = Find("System.Data.Common.DbDataReader");
        DbDataSource = Find("System.Data.Common.DbDataSource");
        DbBatch = Find("System.Data.Common.DbBatch");
        DbBatchCommand = Find("System.Data.Common.DbBatchCommand");

        NpgsqlConnection = Find("Npgsql.NpgsqlConnection");
        NpgsqlDataSource = Find("Npgsql.NpgsqlDataSource");
        PooledDataSource = Find("EfPooling.AdoNet.TransactionPoolingDataSource");
        SessionLease = Find("EfPooling.AdoNet.SessionLease");

        DapperSqlMapper = Find("Dapper.SqlMapper");
        DapperCommandDefinition = Find("Dapper.CommandDefinition");

        Task = Find("System.Threading.Tasks.Task");
        TaskOfT = Find("System.Threading.Tasks.Task`1");
        ValueTask = Find("System.Threading.Tasks.ValueTask");
        ValueTaskOfT = Find("System.Threading.Tasks.ValueTask`1");
        Queryable = Find("System.Linq.Queryable");
        Enumerable = Find("System.Linq.Enumerable");
        IQueryableOfT = Find("System.Linq.IQueryable`1");
        FormattableString = Find("System.FormattableString");

        UserManager = Find("Microsoft.AspNetCore.Identity.UserManager`1");
        RoleManager = Find("Microsoft.AspNetCore.Identity.RoleManager`1");
        SignInManager = Find("Microsoft.AspNetCore.Identity.SignInManager`1");
        HasIdentityStores = Find("Microsoft.AspNetCore.Identity.EntityFrameworkCore.UserStore") is not null;

        HostedService = Find("Microsoft.Extensions.Hosting.IHostedService");
        RequestDelegate = Find("Microsoft.AspNetCore.Http.RequestDelegate");
        HttpContext = Find("Microsoft.AspNetCore.Http.HttpContext");
        ServiceCollection = Find("Microsoft.Extensions.DependencyInjection.IServiceCollection");
        NpgsqlOptionsExtensions = Find("Microsoft.EntityFrameworkCore.NpgsqlDbContextOptionsBuilderExtensions");
        PoolingOptionsExtensions = Find("Microsoft.EntityFrameworkCore.TransactionPoolingDbContextOptionsBuilderExtensions");
        PoolingServices = Find("Microsoft.Extensions.DependencyInjection.TransactionPoolingServiceCollectionExtensions");
        LazyOfT = Find("System.Lazy`1");
        ThreadStatic = Find("System.ThreadStaticAttribute");

        Operations = new DbOperations(this);
        Roots = new RootAnalysis(this);
    }

    public INamedTypeSymbol? DbContext { get; }

    public INamedTypeSymbol? DbSet { get; }

    public INamedTypeSymbol? DatabaseFacade { get; }

    public INamedTypeSymbol? DbContextTransaction { get; }

    public INamedTypeSymbol? DbContextTransactionExtensions { get; }

    public INamedTypeSymbol? EntityEntry { get; }

    public INamedTypeSymbol? MemberEntry { get; }

    public INamedTypeSymbol? NavigationEntry { get; }

    public INamedTypeSymbol? QueryableExtensions { get; }

    public INamedTypeSymbol? RelationalQueryableExtensions { get; }

    public INamedTypeSymbol? RelationalFacadeExtensions { get; }

    public INamedTypeSymbol? DbContextFactory { get; }

    public INamedTypeSymbol? ConnectionInterceptor { get; }

    public INamedTypeSymbol? CommandInterceptor { get; }

    public INamedTypeSymbol? TransactionInterceptor { get; }

    public INamedTypeSymbol? IDbConnection { get; }

    public INamedTypeSymbol? IDbCommand { get; }

    public INamedTypeSymbol? IDbTransaction { get; }

    public INamedTypeSymbol? DbConnection { get; }

    public INamedTypeSymbol? DbCommand { get; }

    public INamedTypeSymbol? DbTransaction { get; }

    public INamedTypeSymbol? DbDataReader { get; }

    public INamedTypeSymbol? DbDataSource { get; }

    public INamedTypeSymbol? DbBatch { get; }

    public INamedTypeSymbol? DbBatchCommand { get; }

    public INamedTypeSymbol? NpgsqlConnection { get; }

    public INamedTypeSymbol? NpgsqlDataSource { get; }

    public INamedTypeSymbol? PooledDataSource { get; }

    public INamedTypeSymbol? SessionLease { get; }

    public INamedTypeSymbol? DapperSqlMapper { get; }

    public INamedTypeSymbol? DapperCommandDefinition { get; }

    public INamedTypeSymbol? Task { get; }

    public INamedTypeSymbol? TaskOfT { get; }

    public INamedTypeSymbol? ValueTask { get; }

    public INamedTypeSymbol? ValueTaskOfT { get; }

    public INamedTypeSymbol? Queryable { get; }

    public INamedTypeSymbol? Enumerable { get; }

    public INamedTypeSymbol? IQueryableOfT { get; }

    public INamedTypeSymbol? FormattableString { get; }

    public INamedTypeSymbol? UserManager { get; }

    public INamedTypeSymbol? RoleManager { get; }

    public INamedTypeSymbol? SignInManager { get; }

    /// <summary>The project references the stores of ASP.NET Core Identity for EF Core.</summary>
    public bool HasIdentityStores { get; }

    public INamedTypeSymbol? HostedService { get; }

    public INamedTypeSymbol? RequestDelegate { get; }

    public INamedTypeSymbol? HttpContext { get; }

    public INamedTypeSymbol? ServiceCollection { get; }

    public INamedTypeSymbol? NpgsqlOptionsExtensions { get; }

    public INamedTypeSymbol? PoolingOptionsExtensions { get; }

    public INamedTypeSymbol? PoolingServices { get; }

    public INamedTypeSymbol? LazyOfT { get; }

    public INamedTypeSymbol? ThreadStatic { get; }

    public DbOperations Operations { get; }

    public RootAnalysis Roots { get; }

    /// <summary>There is something to look at: EF Core, or ADO.NET (which every target framework has) together with Npgsql.</summary>
    public bool HasDatabase => DbContext is not null || NpgsqlConnection is not null;

    /// <summary>SQL is read as PostgreSQL's only where there is Npgsql.</summary>
    public bool HasNpgsql => NpgsqlConnection is not null;

    public static KnownSymbols Of(Compilation compilation) => Cache.GetValue(compilation, known => new KnownSymbols(known));

    /// <summary>Task, ValueTask, and both with a result.</summary>
    public bool IsTask(ITypeSymbol? type)
        => type.Is(Task) || type.Is(TaskOfT) || type.Is(ValueTask) || type.Is(ValueTaskOfT);

    public bool IsConnection(ITypeSymbol? type) => type.IsOrImplements(IDbConnection);

    public bool IsCommand(ITypeSymbol? type) => type.IsOrImplements(IDbCommand);

    public bool IsTransaction(ITypeSymbol? type) => type.IsOrImplements(IDbTransaction) || type.IsOrImplements(DbContextTransaction);

    /// <summary>Whether a variable of this type stands for one connection: a context, connection, command, batch, transaction, set, facade, or manager of users.</summary>
    public bool Holds(ITypeSymbol? type)
        => type.InheritsFrom(DbContext) || type.InheritsFrom(DbSet) || type.Is(DatabaseFacade) || IsConnection(type) || IsCommand(type) || IsTransaction(type)
            || type.InheritsFrom(DbBatch) || IsManager(type);

    /// <summary>A manager of users, roles or sign-ins, which works on the context of its store.</summary>
    public bool IsManager(ITypeSymbol? type) => type.InheritsFrom(UserManager) || type.InheritsFrom(RoleManager) || type.InheritsFrom(SignInManager);

    /// <summary>A class of ADO.NET of another provider than Npgsql and this project. Wrappers of third parties count as such.</summary>
    public bool IsOfOtherProvider(ITypeSymbol? type)
        => type is INamedTypeSymbol { TypeKind: TypeKind.Class } named
            && (IsConnection(named) || IsCommand(named) || named.IsOrImplements(IDbTransaction) || named.InheritsFrom(DbDataSource)
                || named.InheritsFrom(DbBatch) || named.InheritsFrom(DbBatchCommand))
            && RootNamespace(named) is not ("System" or "Npgsql" or "EfPooling");

    /// <summary>A connection, command, transaction or batch of Npgsql's: physical, never one of the pool's.</summary>
    public bool IsNpgsqls(ITypeSymbol? type) => type is INamedTypeSymbol { TypeKind: TypeKind.Class } named && Holds(type) && RootNamespace(named) == "Npgsql";

    private static string? RootNamespace(INamedTypeSymbol type)
    {
        var space = type.ContainingNamespace;
        while (space is { IsGlobalNamespace: false, ContainingNamespace.IsGlobalNamespace: false })
        {
            space = space.ContainingNamespace;
        }

        return space?.Name;
    }
}
