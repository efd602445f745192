using EfPooling.Analyzers.Rules;

namespace EfPooling.Analyzers.Tests;

public sealed class EscapingStreamTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.EscapingStream, () => new EscapingStreamAnalyzer())
        .Fires("an asynchronous stream of an injected context",
            """
            public IAsyncEnumerable<Order> All() => {|EFP0018:db.Orders.AsAsyncEnumerable()|};

            public IAsyncEnumerable<Order> Some(int id) { return {|EFP0018:db.Orders.Where(order => order.Id > id).AsAsyncEnumerable()|}; }
            """)
        .Fires("a reader and an unbuffered query",
            """
            public async Task<DbDataReader> Read() => await {|EFP0018:conn.ExecuteReaderAsync("SELECT 1")|};

            public IAsyncEnumerable<int> Rows() => {|EFP0018:conn.QueryUnbufferedAsync<int>("SELECT 1")|};
            """)
        .Silent("lists", "public Task<List<Order>> All() => db.Orders.ToListAsync();")
        .Silent("queries that are not run yet", "public IQueryable<Order> All() => db.Orders.Where(order => order.Id > 3);")
        .Silent("the caller's own context", "public static IAsyncEnumerable<Order> All(AppDb own) => own.Orders.AsAsyncEnumerable();")
        .Silent("private methods and lambdas",
            """
            private IAsyncEnumerable<Order> All() => db.Orders.AsAsyncEnumerable();

            public async Task Use() { Func<IAsyncEnumerable<Order>> get = () => db.Orders.AsAsyncEnumerable(); await foreach (var order in get()) { } await foreach (var order in All()) { } }
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
