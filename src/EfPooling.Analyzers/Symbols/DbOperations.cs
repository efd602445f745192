using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Symbols;

/// <summary>
/// The table of database operations: which methods, by type and name, talk to the server. <c>AddAsync</c>, composing a query and
/// <c>AsAsyncEnumerable</c> do not. Thread-safe.
/// </summary>
internal sealed class DbOperations(KnownSymbols symbols)
{
    private readonly ConcurrentDictionary<IMethodSymbol, DbOperationKind> _kinds = new(SymbolEqualityComparer.Default);

    /// <summary>Whether the call is an operation. Says nothing about what it is called on; see <see cref="RootAnalysis"/>.</summary>
    public bool TryGet(IOperation? operation, out DbOperation found)
    {
        found = default;
        if (operation is not IInvocationOperation invocation)
        {
            return false;
        }

        var method = (invocation.TargetMethod.ReducedFrom ?? invocation.TargetMethod).OriginalDefinition;
        var kind = _kinds.GetOrAdd(method, KindOf);
        if (kind == DbOperationKind.None || !HasDatabaseSource(method, invocation))
        {
            return false;
        }

        found = new DbOperation(invocation, kind, OwnerOf(invocation), symbols.IsTask(method.ReturnType));
        return true;
    }

    /// <summary>The receiver, or the first argument of an extension method.</summary>
    public static IOperation? OwnerOf(IInvocationOperation invocation)
        => invocation.Instance ?? invocation.Arguments.FirstOrDefault(argument => argument.Parameter?.Ordinal == 0)?.Value;

    /// <summary>What an operation is called on; anything else is itself.</summary>
    public static IOperation OwnerOrSelf(IOperation operation, KnownSymbols symbols) => symbols.Operations.TryGet(operation, out var found) && found.Owner is { } owner ? owner : operation;

    // Enumerable's methods work on lists too: only those on an IQueryable run a query.
    // And a manager of users works on whatever its store is: only one that surely is on a context counts.
    private bool HasDatabaseSource(IMethodSymbol method, IInvocationOperation invocation)
        => symbols.IsManager(method.ContainingType) ? symbols.Roots.Of(OwnerOf(invocation)).IsKnown
            : !method.ContainingType.Is(symbols.Enumerable)
            || (OwnerOf(invocation) is { } source && Unconverted(source).Type.IsOrImplements(symbols.IQueryableOfT));

    private static IOperation Unconverted(IOperation operation)
    {
        while (operation is IConversionOperation { IsImplicit: true } conversion)
        {
            operation = conversion.Operand;
        }

        return operation;
    }

    private DbOperationKind KindOf(IMethodSymbol method)
    {
        var name = method.Name.EndsWith("Async", StringComparison.Ordinal) ? method.Name.Substring(0, method.Name.Length - 5) : method.Name;
        for (var declared = method; declared is not null; declared = declared.OverriddenMethod?.OriginalDefinition)
        {
            var kind = KindOf(declared.ContainingType, name, declared);
            if (kind != DbOperationKind.None)
            {
                return kind;
            }
        }

        return DbOperationKind.None;
    }

    private DbOperationKind KindOf(INamedTypeSymbol type, string name, IMethodSymbol method)
        => type.Is(symbols.QueryableExtensions) ? OfQueryableExtensions(name, method)
            : type.Is(symbols.Queryable) ? OfQueryable(method)
            : type.Is(symbols.Enumerable) ? OfEnumerable(name)
            : type.Is(symbols.DapperSqlMapper) ? OfDapper(name, method)
            : type.InheritsFrom(symbols.DbContext) || type.Is(symbols.DbSet) ? OfContext(name, type)
            : type.Is(symbols.DatabaseFacade) || type.Is(symbols.RelationalFacadeExtensions) ? OfFacade(name)
            : type.InheritsFrom(symbols.EntityEntry) || type.InheritsFrom(symbols.MemberEntry) ? OfEntry(name)
            : symbols.IsCommand(type) || type.InheritsFrom(symbols.DbBatch) ? OfCommand(name)
            : symbols.IsConnection(type) ? OfConnection(name)
            : symbols.IsTransaction(type) ? OfTransaction(name)
            : symbols.IsManager(type) ? ManagerOperations.KindOf(name)
            : DbOperationKind.None;

    private DbOperationKind OfQueryableExtensions(string name, IMethodSymbol method) => name switch
    {
        "ExecuteDelete" or "ExecuteUpdate" => DbOperationKind.Command,
        "Load" => DbOperationKind.Query,
        _ => symbols.IsTask(method.ReturnType) ? DbOperationKind.Query : DbOperationKind.None,
    };

    private DbOperationKind OfQueryable(IMethodSymbol method)
        => method.ReturnType.IsOrImplements(symbols.IQueryableOfT) || method.Name is "AsQueryable" or "Cast" or "OfType" ? DbOperationKind.None : DbOperationKind.Query;

    private static DbOperationKind OfEnumerable(string name)
        => name is "ToList" or "ToArray" or "ToDictionary" or "ToHashSet" or "ToLookup" ? DbOperationKind.Query : DbOperationKind.None;

    private DbOperationKind OfDapper(string name, IMethodSymbol method)
        => method.Parameters.Length == 0 || !symbols.IsConnection(method.Parameters[0].Type) ? DbOperationKind.None
            : name == "QueryUnbuffered" ? DbOperationKind.Stream
            : name is "ExecuteReader" or "QueryMultiple" ? DbOperationKind.Reader
            : name.StartsWith("Query", StringComparison.Ordinal) ? DbOperationKind.Query
            : name.StartsWith("Execute", StringComparison.Ordinal) ? DbOperationKind.Command
            : DbOperationKind.None;

    // A method Find of the project's own may be anything.
    private static DbOperationKind OfContext(string name, INamedTypeSymbol type) => name switch
    {
        "SaveChanges" => DbOperationKind.Command,
        "Find" when type.DeclaringSyntaxReferences.Length == 0 => DbOperationKind.Query,
        _ => DbOperationKind.None,
    };

    private static DbOperationKind OfFacade(string name) => name switch
    {
        "BeginTransaction" => DbOperationKind.Begin,
        "CommitTransaction" => DbOperationKind.Commit,
        "RollbackTransaction" => DbOperationKind.Rollback,
        "OpenConnection" => DbOperationKind.Open,
        "ExecuteSql" or "ExecuteSqlRaw" or "ExecuteSqlInterpolated" or "Migrate" or "EnsureCreated" or "EnsureDeleted" => DbOperationKind.Command,
        "CanConnect" or "GetAppliedMigrations" or "GetPendingMigrations" => DbOperationKind.Query,
        _ => DbOperationKind.None,
    };

    private static DbOperationKind OfEntry(string name)
        => name is "Load" or "Reload" or "GetDatabaseValues" ? DbOperationKind.Query : DbOperationKind.None;

    private static DbOperationKind OfCommand(string name) => name switch
    {
        "ExecuteReader" => DbOperationKind.Reader,
        "ExecuteNonQuery" or "ExecuteScalar" or "Prepare" => DbOperationKind.Command,
        _ => DbOperationKind.None,
    };

    private static DbOperationKind OfConnection(string name)
        => name == "Open" ? DbOperationKind.Open
            : name == "BeginTransaction" ? DbOperationKind.Begin
            : name == "LeaseSession" ? DbOperationKind.Command
            : name.StartsWith("Begin", StringComparison.Ordinal) && (name.EndsWith("Import", StringComparison.Ordinal) || name.EndsWith("Export", StringComparison.Ordinal) || name.EndsWith("Copy", StringComparison.Ordinal)) ? DbOperationKind.Command
            : DbOperationKind.None;

    private static DbOperationKind OfTransaction(string name) => name switch
    {
        "Commit" => DbOperationKind.Commit,
        "Rollback" => DbOperationKind.Rollback,
        "Save" or "Release" or "CreateSavepoint" or "RollbackToSavepoint" or "ReleaseSavepoint" => DbOperationKind.Command,
        _ => DbOperationKind.None,
    };
}
