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
        .Fires("iterators over a stream, also through a local and operators",
            """
            public async IAsyncEnumerable<Order> First() { await foreach (var order in {|EFP0018:db.Orders|}.AsAsyncEnumerable()) yield return order; }

            public IEnumerable<Order> Second() { foreach (var order in {|EFP0018:db.Orders.Where(order => order.Id > 3)|}) { if (order.Seen) { yield return order; } else { yield return new Order(); } } }

            public async IAsyncEnumerable<int> Third() { await foreach (var row in {|EFP0018:conn.QueryUnbufferedAsync<int>("SELECT 1")|}.ConfigureAwait(false)) yield return row; }

            public IEnumerable<int> Fourth()
            {
                using var command = conn.CreateCommand();
                using var reader = {|EFP0018:command.ExecuteReader()|};
                while (reader.Read())
                {
                    yield return reader.GetInt32(0);
                }
            }

            public IAsyncEnumerable<Order> Fifth() { var all = {|EFP0018:db.Orders.AsAsyncEnumerable()|}; return all; }
            """)
        .Silent("iterators over lists, over the method's own context, and private ones",
            """
            public async IAsyncEnumerable<Order> First() { foreach (var order in await db.Orders.ToListAsync()) yield return order; }

            public async IAsyncEnumerable<Order> Second() { await using var own = await factory.CreateDbContextAsync(); await foreach (var order in own.Orders.AsAsyncEnumerable()) yield return order; }

            public IEnumerable<int> Third(List<int> ids) { foreach (var id in ids) { yield return id; } }

            public IEnumerable<int> Fifth() { var sum = 0; foreach (var order in db.Orders) { sum += order.Id; } yield return sum; }

            private async IAsyncEnumerable<Order> Fourth() { await foreach (var order in db.Orders.AsAsyncEnumerable()) yield return order; }
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
