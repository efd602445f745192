namespace EfPooling.Analyzers.Tests;

public sealed class CommandDuringReaderTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.CommandDuringReader, () => new FlowRulesAnalyzer(), () => new CommandDuringReaderFix())
        .Fires("saving while a query streams",
            """
            // All of them.
            await foreach (var order in db.Orders.AsAsyncEnumerable())
            {
                order.Seen = true;
                await {|EFP0011:db.SaveChangesAsync(ct)|}; // each
            }
            """,
            """
            // All of them.
            foreach (var order in await db.Orders.ToListAsync())
            {
                order.Seen = true;
                await db.SaveChangesAsync(ct); // each
            }
            """)
        .Fires("a token is passed on",
            """
            await foreach (var order in db.Orders.Where(o => o.Id > id).AsAsyncEnumerable().WithCancellation(ct).ConfigureAwait(false))
            {
                var lines = await {|EFP0011:db.Lines.Where(l => l.OrderId == order.Id).ToListAsync(ct)|};
                await db.SaveChangesAsync(ct);
            }
            """,
            """
            foreach (var order in await db.Orders.Where(o => o.Id > id).ToListAsync(ct).ConfigureAwait(false))
            {
                var lines = await db.Lines.Where(l => l.OrderId == order.Id).ToListAsync(ct);
                await db.SaveChangesAsync(ct);
            }
            """)
        .Fires("comments stay, or nothing is offered",
            """
            // All.
            await /* one by one */ foreach (var order in /* of */ db.Orders.AsAsyncEnumerable() /* them */)
            {
                await {|EFP0011:db.SaveChangesAsync(ct)|};
            }

            await foreach (var order in db.Orders // of all
                .AsAsyncEnumerable())
            {
                await {|EFP0011:db.SaveChangesAsync(ct)|};
            }
            """,
            """
            // All.
            /* one by one */ foreach (var order in /* of */ await db.Orders.ToListAsync() /* them */)
            {
                await db.SaveChangesAsync(ct);
            }

            await foreach (var order in db.Orders // of all
                .AsAsyncEnumerable())
            {
                await db.SaveChangesAsync(ct);
            }
            """)
        .Fires("a synchronous loop",
            """
            public void Run()
            {
                var query = db.Orders.OrderBy(o => o.Id);
                foreach (var order in query)
                {
                    Console.WriteLine({|EFP0011:db.Lines.Count(l => l.OrderId == order.Id)|});
                }
            }
            """,
            """
            public void Run()
            {
                var query = db.Orders.OrderBy(o => o.Id);
                foreach (var order in query.ToList())
                {
                    Console.WriteLine(db.Lines.Count(l => l.OrderId == order.Id));
                }
            }
            """)
        .Fires("a query expression",
            """
            foreach (var order in from o in db.Orders where o.Id > id select o)
            {
                {|EFP0011:db.SaveChanges()|};
            }
            """,
            """
            foreach (var order in await (from o in db.Orders where o.Id > id select o).ToListAsync())
            {
                db.SaveChanges();
            }
            """)
        .Fires("a loop within a loop, and a loop over AsEnumerable",
            """
            foreach (var order in db.Orders.AsEnumerable())
            {
                foreach (var line in order.Lines)
                {
                    {|EFP0011:db.Entry(line).Reload()|};
                }
            }
            """,
            """
            foreach (var order in await db.Orders.ToListAsync())
            {
                foreach (var line in order.Lines)
                {
                    db.Entry(line).Reload();
                }
            }
            """)
        .Fires("Dapper without a buffer, and the connection of a context",
            """
            foreach (var name in conn.Query<string>("SELECT name FROM orders", buffered: false))
            {
                {|EFP0011:conn.Execute("UPDATE orders SET seen = true")|};
            }

            var names = conn.QueryUnbufferedAsync<string>("SELECT name FROM orders");
            await foreach (var name in names)
            {
                await {|EFP0011:conn.ExecuteAsync("UPDATE orders SET seen = true")|};
            }

            await foreach (var order in db.Orders.AsAsyncEnumerable())
            {
                await {|EFP0011:db.Database.GetDbConnection().ExecuteAsync("SELECT 1")|};
            }
            """,
            """
            foreach (var name in conn.Query<string>("SELECT name FROM orders", buffered: false))
            {
                conn.Execute("UPDATE orders SET seen = true");
            }

            var names = conn.QueryUnbufferedAsync<string>("SELECT name FROM orders");
            await foreach (var name in names)
            {
                await conn.ExecuteAsync("UPDATE orders SET seen = true");
            }

            foreach (var order in await db.Orders.ToListAsync())
            {
                await db.Database.GetDbConnection().ExecuteAsync("SELECT 1");
            }
            """)
        .Fires("before a reader is closed",
            """
            await using var command = conn.CreateCommand();
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                await {|EFP0011:conn.ExecuteAsync("SELECT 1", new { name = reader.GetString(0) })|};
            }
            """)
        .Fires("after the rows, but before the end of the reader",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            using (var reader = await own.ExecuteReaderAsync("SELECT 1"))
            {
                while (reader.Read())
                {
                }

                await {|EFP0011:own.ExecuteAsync("SELECT 1")|};
            }

            await own.ExecuteAsync("SELECT 2");
            """)
        .Fires("once, in a finally that is left in several ways",
            """
            await using var command = conn.CreateCommand();
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (true)
            {
                try
                {
                    if (id == 1) break;
                    if (id == 2) return;
                }
                finally
                {
                    await {|EFP0011:conn.ExecuteAsync("SELECT 1")|};
                }
            }

            """)
        .Fires("behind operators that stream, where nothing is offered",
            """
            await foreach (var order in db.Orders.AsAsyncEnumerable().Where(order => order.Id > id).WithCancellation(ct))
            {
                await {|EFP0011:db.SaveChangesAsync(ct)|};
            }

            foreach (var order in db.Orders.AsEnumerable().Where(order => order.Id > id))
            {
                {|EFP0011:db.SaveChanges()|};
            }

            foreach (var orders in db.Orders.AsEnumerable().Chunk(100))
            {
                await {|EFP0011:db.SaveChangesAsync(ct)|};
            }
            """,
            """
            await foreach (var order in db.Orders.AsAsyncEnumerable().Where(order => order.Id > id).WithCancellation(ct))
            {
                await db.SaveChangesAsync(ct);
            }

            foreach (var order in db.Orders.AsEnumerable().Where(order => order.Id > id))
            {
                db.SaveChanges();
            }

            foreach (var orders in db.Orders.AsEnumerable().Chunk(100))
            {
                await db.SaveChangesAsync(ct);
            }
            """)
        .Fires("a method of the type that uses the same field, and a manager of users",
            """
            using Microsoft.AspNetCore.Identity;

            public class User { public int Id { get; set; } }

            public class Users(DbContextOptions<Users> options) : DbContext(options) { public DbSet<User> All => Set<User>(); public DbSet<Order> Orders => Set<Order>(); }

            public class Example(Users db, UserManager<User> users)
            {
                private readonly Users _db = db;

                public async Task First()
                {
                    foreach (var user in _db.All)
                    {
                        await {|EFP0011:Friends(user)|};
                    }
                }

                public async Task Second()
                {
                    foreach (var user in _db.All)
                    {
                        var roles = await {|EFP0011:users.GetRolesAsync(user)|};
                    }
                }

                public void Third()
                {
                    using var reader = _db.Database.GetDbConnection().CreateCommand().ExecuteReader();
                    {|EFP0011:Save()|};
                }

                private async Task Friends(User user) => await _db.Orders.ToListAsync();

                private void Save() => _db.SaveChanges();
            }
            """)
        .Silent("methods of the type that use another context",
            """
            private readonly AppDb _db = null!;

            public async Task Run()
            {
                foreach (var order in _db.Orders)
                {
                    await Other(order);
                    Note(order);
                    foreach (var line in Lines(order)) { }
                }
            }

            private async Task Other(Order order) { await using var own = await factory.CreateDbContextAsync(); own.Attach(order); await own.SaveChangesAsync(); }

            private void Note(Order order) => _db.Entry(order).State = EntityState.Modified;

            private IEnumerable<Line> Lines(Order order) { foreach (var line in order.Lines) { yield return line; } }
            """)
        .Silent("a method Find of the project's own",
            """
            public sealed class MyDb(DbContextOptions<MyDb> options) : DbContext(options)
            {
                public DbSet<Order> Orders => Set<Order>();

                public IQueryable<Order> Find(string name) => Orders.Where(order => order.Name == name);
            }

            public sealed class Finder(MyDb db)
            {
                public void Run()
                {
                    foreach (var order in db.Orders)
                    {
                        var later = db.Find(order.Name);
                    }
                }
            }
            """)
        .Silent("operators that read all rows first",
            """
            foreach (var order in db.Orders.AsEnumerable().OrderBy(order => order.Name))
            {
                db.SaveChanges();
            }

            foreach (var orders in db.Orders.AsEnumerable().GroupBy(order => order.Name))
            {
                db.SaveChanges();
            }
            """)
        .Silent("retries, for which EF Core reads all rows first",
            """
            public static class Setup { public static void Add(DbContextOptionsBuilder options) => options.UseNpgsql("Host=a", npgsql => npgsql.EnableRetryOnFailure()); }

            public class Example(AppDb db)
            {
                public async Task Run() { foreach (var order in db.Orders) { order.Seen = true; await db.SaveChangesAsync(); } }
            }
            """)
        .Silent("retries of this context, where it is registered and where it configures itself",
            """
            public static class Setup { public static void Add(IServiceCollection services) => services.AddDbContextPool<AppDb>(options => options.UseNpgsql("Host=a", npgsql => npgsql.EnableRetryOnFailure(3))); }

            public class Own : DbContext
            {
                public DbSet<Order> Orders => Set<Order>();

                protected override void OnConfiguring(DbContextOptionsBuilder options) => options.UseNpgsql("Host=a", npgsql => npgsql.ExecutionStrategy(dependencies => new NonRetryingExecutionStrategy(dependencies)));
            }

            public class Derived : Own;

            public class Example(AppDb db, Own own, Derived derived, DbContext any)
            {
                public void Run()
                {
                    foreach (var order in db.Orders) { order.Seen = true; db.SaveChanges(); }
                    foreach (var order in own.Orders) { order.Seen = true; own.SaveChanges(); }
                    foreach (var order in derived.Orders) { order.Seen = true; derived.SaveChanges(); }
                    foreach (var order in any.Set<Order>()) { order.Seen = true; any.SaveChanges(); }
                }
            }
            """)
        .Fires("a strategy that is created, retries of another context, and words",
            """
            public class Other(DbContextOptions<Other> options) : DbContext(options);

            public static class Setup
            {
                public const string ExecutionStrategy = nameof(EnableRetryOnFailure);

                public static void Add(IServiceCollection services) => services.AddDbContext<Other>(options => options.UseNpgsql("Host=a", npgsql => npgsql.EnableRetryOnFailure()));

                private static void EnableRetryOnFailure() { }
            }

            public class Example(AppDb db)
            {
                public Task Save() => db.Database.CreateExecutionStrategy().ExecuteAsync(() => db.SaveChangesAsync());

                public void Run() { foreach (var order in db.Orders) { order.Seen = true; {|EFP0011:db.SaveChanges()|}; } }
            }
            """)
        .Fires("nested commands that are refused",
            """
            public static class Setup { public static void Add(DbContextOptionsBuilder options) => options.UseNpgsql("Host=a").UseTransactionPooling(pool => pool.NestedCommands = NestedCommandMode.Refuse); }

            public class Example(AppDb db)
            {
                public NestedCommandMode Show(TransactionPoolingOptions options) => options.NestedCommands;

                public void Run() { foreach (var order in db.Orders) { order.Seen = true; {|EFP0011:db.SaveChanges()|}; } }
            }
            """)
        .Fires("readers and Dapper, which do not retry",
            """
            public static class Setup { public static void Add(DbContextOptionsBuilder options) => options.UseNpgsql("Host=a", npgsql => npgsql.EnableRetryOnFailure()); }

            public class Example(DbConnection conn)
            {
                public void Run() { foreach (var name in conn.Query<string>("SELECT name FROM orders", buffered: false)) { {|EFP0011:conn.Execute("SELECT 1")|}; } }
            }
            """)
        .Silent("nested commands have a server connection of their own",
            """
            public static class Setup { public static void Add(DbContextOptionsBuilder options) => options.UseNpgsql("Host=a").UseTransactionPooling(pool => pool.NestedCommands = NestedCommandMode.OwnServerConnection); }

            public class Example(AppDb db, DbConnection conn)
            {
                public async Task Run()
                {
                    foreach (var order in db.Orders) { order.Seen = true; await db.SaveChangesAsync(); }
                    foreach (var name in conn.Query<string>("SELECT name FROM orders", buffered: false)) { conn.Execute("SELECT 1"); }
                }
            }
            """)
        .Silent("read first",
            """
            foreach (var order in await db.Orders.ToListAsync(ct))
            {
                await db.SaveChangesAsync(ct);
            }

            foreach (var order in db.Orders.ToList())
            {
                db.SaveChanges();
            }

            foreach (var name in conn.Query<string>("SELECT name FROM orders"))
            {
                conn.Execute("SELECT 1");
            }
            """)
        .Silent("another context or connection",
            """
            await using var other = await factory.CreateDbContextAsync(ct);
            await foreach (var order in db.Orders.AsAsyncEnumerable())
            {
                other.Add(order);
                await other.SaveChangesAsync(ct);
                await conn.ExecuteAsync("SELECT 1");
            }
            """)
        .Silent("nothing is sent inside the loop",
            """
            var later = new List<Func<Task>>();
            await foreach (var order in db.Orders.AsAsyncEnumerable())
            {
                order.Seen = true;
                db.Lines.Add(new Line());
                later.Add(() => db.SaveChangesAsync(ct));
            }

            await db.SaveChangesAsync(ct);
            """)
        .Silent("the reader is closed, or handed on",
            """
            public async Task Run()
            {
                await using var command = conn.CreateCommand();
                var reader = await command.ExecuteReaderAsync();
                await reader.CloseAsync();
                await conn.ExecuteAsync("SELECT 1");
                var second = command.ExecuteReader();
                var table = new DataTable();
                table.Load(second);
                await conn.ExecuteAsync("SELECT 1");
                await using (var third = await command.ExecuteReaderAsync())
                {
                    await third.ReadAsync();
                }

                await conn.ExecuteAsync("SELECT 1");
            }
            """)
        .Silent("a local function closes the reader",
            """
            using var command = conn.CreateCommand();
            var reader = command.ExecuteReader();
            try
            {
                reader.Read();
            }
            finally
            {
                Done();
            }

            await conn.ExecuteAsync("SELECT 1");

            void Done() => reader.Dispose();
            """)
        .Silent("the connection is closed meanwhile",
            """
            using var command = conn.CreateCommand();
            var reader = await command.ExecuteReaderAsync(ct);
            await conn.CloseAsync();
            await conn.OpenAsync(ct);
            await conn.ExecuteAsync("SELECT 1");
            """)
        .Silent("each turn of a loop has its own reader",
            """
            await using var command = conn.CreateCommand();
            foreach (var name in new[] { "a", "b" })
            {
                command.CommandText = name;
                await using var reader = await command.ExecuteReaderAsync(ct);
                await reader.ReadAsync(ct);
            }
            """)
        .Silent("several results of Dapper",
            """
            using var results = await conn.QueryMultipleAsync("SELECT 1; SELECT 2");
            var a = results.Read<int>();
            var b = results.Read<int>();
            await conn.ExecuteAsync("SELECT 3");
            """)
        .Silent("lists, and queries over lists",
            """
            foreach (var order in new List<Order>().AsQueryable().Where(o => o.Id > id))
            {
                await db.SaveChangesAsync(ct);
            }

            foreach (var entry in db.ChangeTracker.Entries())
            {
                await entry.ReloadAsync(ct);
            }

            foreach (var order in db.Orders.Local)
            {
                await db.SaveChangesAsync(ct);
            }
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
