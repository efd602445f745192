namespace EfPooling.Analyzers.Tests;

public sealed class OverlappingOperationsTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.OverlappingOperations, () => new FlowRulesAnalyzer())
        .Fires("two queries of one context in WhenAll, as params",
            "await Task.WhenAll(db.Orders.CountAsync(ct), {|EFP0002:db.Lines.CountAsync(ct)|});")
        .Fires("two queries in an array and in a collection expression",
            """
            await Task.WhenAll(new Task[] { db.Orders.CountAsync(ct), {|EFP0002:db.SaveChangesAsync(ct)|} });
            await Task.WhenAny([db.Orders.CountAsync(ct), {|EFP0002:db.Lines.CountAsync(ct)|}]);
            List<Task<int>> tasks = [db.Orders.CountAsync(ct), {|EFP0002:db.Lines.CountAsync(ct)|}];
            await Task.WhenAll(tasks);
            """)
        .Fires("two tasks in locals, awaited together",
            """
            var a = db.Orders.CountAsync(ct);
            var b = {|EFP0002:db.Lines.CountAsync(ct)|};
            await Task.WhenAll(a, b);
            """)
        .Fires("a local beside a call in WhenAll",
            """
            var a = db.Orders.CountAsync(ct);
            await Task.WhenAll(a, {|EFP0002:db.Lines.CountAsync(ct)|});
            """)
        .Fires("three at once are reported twice",
            "await Task.WhenAll(db.Orders.CountAsync(ct), {|EFP0002:db.Lines.CountAsync(ct)|}, {|EFP0002:db.SaveChangesAsync(ct)|});")
        .Fires("the context and Dapper on its connection",
            """
            var saving = db.SaveChangesAsync(ct).ConfigureAwait(false);
            var names = await {|EFP0002:db.Database.GetDbConnection().QueryAsync<string>("SELECT name FROM orders")|};
            await saving;
            """)
        .Fires("two commands of one connection",
            """
            using var first = conn.CreateCommand();
            using var second = new NpgsqlCommand("SELECT 1", npgsql);
            using var third = new NpgsqlCommand("SELECT 1", npgsql);
            var a = second.ExecuteScalarAsync(ct);
            await {|EFP0002:third.ExecuteScalarAsync(ct)|};
            await a;
            await Task.WhenAll(first.ExecuteNonQueryAsync(ct), {|EFP0002:conn.ExecuteAsync("SELECT 1")|});
            """)
        .Fires("a connection of the pool",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await Task.WhenAll(own.ExecuteAsync("SELECT 1"), {|EFP0002:own.ExecuteAsync("SELECT 2")|});
            """)
        .Fires("commands, transactions and sessions of a connection of the pool",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await using var command = own.CreateCommand();
            var a = command.ExecuteNonQueryAsync(ct);
            await {|EFP0002:own.BeginTransactionAsync(ct)|};
            await a;
            var b = command.ExecuteNonQueryAsync(ct);
            await using var session = await {|EFP0002:own.LeaseSessionAsync("report", ct)|};
            await b;
            await Task.WhenAll(session.Connection.ExecuteAsync("SELECT 1"), {|EFP0002:session.Connection.ExecuteAsync("SELECT 2")|});
            """)
        .Fires("fields, properties and null checks",
            """
            private readonly AppDb _own = factory.CreateDbContext();

            private AppDb Other { get; } = factory.CreateDbContext();

            public async Task Run()
            {
                await Task.WhenAll(_own.Orders.CountAsync(), {|EFP0002:this._own.Lines.CountAsync()|});
                await Task.WhenAll(Other.Orders.CountAsync(), {|EFP0002:Other.Lines.CountAsync()|});
                AppDb? maybe = _own;
                var a = maybe?.SaveChangesAsync();
                _ = await {|EFP0002:_own.Lines.CountAsync()|};
                await (a ?? Task.FromResult(0));
            }
            """)
        .Fires("a synchronous operation meanwhile",
            """
            var a = db.Orders.CountAsync(ct);
            {|EFP0002:db.SaveChanges()|};
            await a;
            """)
        .Fires("only one of the paths awaits",
            """
            var a = db.Orders.CountAsync(ct);
            if (id > 3)
            {
                await a;
            }

            {|EFP0002:db.SaveChanges()|};
            await a;
            """)
        .Fires("the task is awaited in finally",
            """
            var a = db.Orders.CountAsync(ct);
            try
            {
                await {|EFP0002:db.Lines.CountAsync(ct)|};
            }
            finally
            {
                await a;
            }
            """)
        .Fires("one query per element",
            """
            await Task.WhenAll(new[] { 1, 2 }.Select(x => {|EFP0002:db.Orders.CountAsync(o => o.Id == x)|}));
            var tasks = new[] { 1, 2 }.Select(async x => { await Task.Yield(); return await {|EFP0002:db.Orders.FindAsync(x)|}; }).ToList();
            await Task.WhenAll(tasks);
            """)
        .Fires("a loop that collects tasks",
            """
            var tasks = new List<Task>();
            foreach (var x in new[] { 1, 2 })
            {
                tasks.Add({|EFP0002:db.Orders.Where(o => o.Id == x).ExecuteDeleteAsync(ct)|});
            }

            await Task.WhenAll(tasks);
            """)
        .Fires("methods that are given the context",
            """
            public async Task Run()
            {
                await Task.WhenAll(LoadAsync(db), {|EFP0002:LoadAsync(db)|});
                var a = LoadAsync(db);
                await {|EFP0002:db.SaveChangesAsync()|};
                await a;
            }

            private static Task LoadAsync(AppDb shared) => shared.Orders.LoadAsync();
            """)
        .Fires("lambdas, local functions and initialisers",
            """
            private readonly Func<AppDb, Task> _both = d => Task.WhenAll(d.Orders.CountAsync(), {|EFP0002:d.Lines.CountAsync()|});

            public Func<Task> Later => async () =>
            {
                var a = db.Orders.CountAsync();
                await {|EFP0002:db.Lines.CountAsync()|};
                await a;
            };

            public async Task Run()
            {
                await Inner();

                async Task Inner()
                {
                    var a = db.Orders.CountAsync();
                    await {|EFP0002:db.Lines.CountAsync()|};
                    await a;
                }
            }
            """)
        .Fires("the context itself",
            """
            public class OwnDb : DbContext
            {
                public DbSet<Order> Orders => Set<Order>();

                public Task Both() => Task.WhenAll(Orders.CountAsync(), {|EFP0002:SaveChangesAsync()|});
            }
            """)
        .Fires("locals that are declared first, and one that gets another task",
            """
            Task<int> a, b;
            a = db.Orders.CountAsync(ct);
            b = {|EFP0002:db.Lines.CountAsync(ct)|};
            await Task.WhenAll(a, b);
            var c = conn.ExecuteAsync("SELECT 1");
            c = {|EFP0002:conn.ExecuteAsync("SELECT 2")|};
            await c;
            """)
        .Fires("lists, arrays and queues that are filled one by one",
            """
            var list = new List<Task> { db.Orders.LoadAsync(ct) };
            list.Add({|EFP0002:db.Lines.LoadAsync(ct)|});
            await Task.WhenAll(list);
            var array = new Task[2];
            array[0] = db.Orders.LoadAsync(ct);
            array[1] = {|EFP0002:db.Lines.LoadAsync(ct)|};
            await Task.WhenAll(array);
            List<Task> other = [db.Orders.LoadAsync(ct)];
            await {|EFP0002:db.Lines.LoadAsync(ct)|};
            await Task.WhenAll(other);
            await Task.WhenAll(new List<Task> { db.Orders.LoadAsync(ct), {|EFP0002:db.Lines.LoadAsync(ct)|} });
            var queue = new Queue<Task>();
            queue.Enqueue(db.Orders.LoadAsync(ct));
            queue.Enqueue({|EFP0002:db.Lines.LoadAsync(ct)|});
            await Task.WhenAll(queue);
            """)
        .Fires("query syntax, and operators behind the projection",
            """
            int[] ids = [1, 2, 3];
            await Task.WhenAll(from i in ids select {|EFP0002:db.Orders.Where(x => x.Id == i).ExecuteDeleteAsync(ct)|});
            await Task.WhenAll(from i in ids from j in ids where i < j select {|EFP0002:db.Orders.Where(x => x.Id == i + j).ExecuteDeleteAsync(ct)|});
            var tasks = from i in ids let k = i + 1 orderby k select {|EFP0002:db.Orders.Where(x => x.Id == k).ExecuteDeleteAsync(ct)|};
            await Task.WhenAll(tasks.Where(task => !task.IsCompleted));
            """)
        .Fires("a projection that is run through before the first task is awaited",
            """
            int[] ids = [1, 2, 3];
            foreach (var task in ids.Select(i => {|EFP0002:db.Orders.Where(x => x.Id == i).ExecuteDeleteAsync(ct)|}).ToList())
            {
                await task;
            }

            Task[] all = [.. ids.Select(i => {|EFP0002:db.Lines.Where(x => x.Id == i).ExecuteDeleteAsync(ct)|})];
            Task.WaitAll(all, ct);
            var list = new List<Task>();
            list.AddRange(ids.Select(i => {|EFP0002:db.Orders.Where(x => x.Id == i).ExecuteDeleteAsync(ct)|}));
            await Task.WhenAll(list);
            """)
        .Fires("the type's own methods that use the same field",
            """
            private readonly AppDb _db = null!;

            public async Task Two() => await Task.WhenAll(Process(1), {|EFP0002:Process(2)|});

            public async Task Mixed()
            {
                var a = _db.Orders.CountAsync();
                await {|EFP0002:Process(3)|};
                await a;
            }

            public async Task Each(List<Order> orders)
            {
                await Task.WhenAll(orders.Select(order => {|EFP0002:Process(order.Id)|}));
                await Task.WhenAll(orders.Select(Of));
            }

            public async Task Local()
            {
                var a = Count();
                var b = {|EFP0002:Count()|};
                await Task.WhenAll(a, b);

                Task<int> Count() => _db.Orders.CountAsync();
            }

            private async Task Process(int id) => await _db.Lines.CountAsync(line => line.Id == id);

            private async Task Of(Order order) => await {|EFP0002:_db.Lines.CountAsync(line => line.Id == order.Id)|};
            """)
        .Fires("a task beside code that the thread pool runs",
            """
            var a = db.Orders.CountAsync(ct);
            var b = Task.Run(() => {|EFP0002:db.Lines.Count()|}, ct);
            await Task.WhenAll(a, b);
            """)
        .Fires("a manager of users, which has the context of its object",
            """
            using Microsoft.AspNetCore.Identity;

            public class User { public int Id { get; set; } }

            public class Users(DbContextOptions<Users> options) : DbContext(options) { public DbSet<User> All => Set<User>(); public DbSet<Order> Orders => Set<Order>(); }

            public class AppUserManager(IUserStore<User> store) : UserManager<User>(store, null!, null!, null!, null!, null!, null!, null!, null!);

            public class Example(Users db, UserManager<User> users, AppUserManager own, SignInManager<User> signIn)
            {
                private readonly UserManager<User> _users = users;

                public async Task Two(string id)
                {
                    var a = _users.FindByIdAsync(id);
                    var b = {|EFP0002:_users.FindByNameAsync(id)|};
                    await Task.WhenAll(a, b);
                }

                public async Task Mixed(string id)
                {
                    var a = users.FindByIdAsync(id);
                    var b = {|EFP0002:db.Orders.CountAsync()|};
                    await Task.WhenAll(a, b);
                    await Task.WhenAll(own.FindByIdAsync(id), {|EFP0002:users.Users.CountAsync()|});
                    await Task.WhenAll(db.SaveChangesAsync(), {|EFP0002:signIn.PasswordSignInAsync(id, id, false, false)|});
                }
            }
            """)
        .Silent("managers of others, and what sends nothing",
            """
            using Microsoft.AspNetCore.Identity;

            public class User { public int Id { get; set; } }

            public class Users(DbContextOptions<Users> options) : DbContext(options) { public DbSet<User> All => Set<User>(); }

            public class First(AppDb db, UserManager<User> users)
            {
                public async Task Run(string id)
                {
                    await Task.WhenAll(users.FindByIdAsync(id), db.Orders.CountAsync());
                    await Task.WhenAll(users.FindByIdAsync(id), users.FindByNameAsync(id));
                }
            }

            public class Second(Users db, UserManager<User> users)
            {
                public async Task Run(User user, string id)
                {
                    await Task.WhenAll(users.GetEmailAsync(user), db.All.CountAsync(), users.GenerateEmailConfirmationTokenAsync(user));
                    await users.FindByIdAsync(id);
                    await db.All.CountAsync();
                }

                public static async Task Given(Users own, UserManager<User> users, Second other) { var a = own.All.CountAsync(); await other.Run(new(), ""); await a; }
            }
            """)
        .Silent("the type's own methods that make a context, take turns or do it later",
            """
            private readonly SemaphoreSlim _gate = new(1);

            public async Task Run(List<int> ids)
            {
                await Task.WhenAll(Own(1), Own(2));
                await Task.WhenAll(InTurn(1), InTurn(2));
                await Task.WhenAll(ids.Select(InTurn));
                var (a, b) = (Later(), Later());
                await Process(1);
                await Process(2);
                var c = Process(3);
                await c;
                await db.SaveChangesAsync();
                Task d;
                d = Process(4);
                await d;
                await Process(5);
            }

            public void Calculate() { var a = Twice(1); var b = Twice(a); }

            private async Task Own(int id) { await using var own = await factory.CreateDbContextAsync(); await own.Lines.CountAsync(line => line.Id == id); }

            private async Task InTurn(int id) { await _gate.WaitAsync(); await db.Lines.CountAsync(line => line.Id == id); _gate.Release(); }

            private Func<Task> Later() => () => db.SaveChangesAsync();

            private async Task Process(int id) => await db.Lines.CountAsync(line => line.Id == id);

            private int Twice(int value) => 2 * value;
            """)
        .Silent("a projection whose tasks are awaited one by one",
            """
            int[] ids = [1, 2, 3];
            foreach (var task in from i in ids select db.Orders.Where(x => x.Id == i).ExecuteDeleteAsync(ct))
            {
                await task;
            }

            var tasks = new Task[2];
            tasks[0] = db.Orders.LoadAsync(ct);
            await tasks[0];
            tasks[1] = db.Orders.LoadAsync(ct);
            await tasks[1];
            """)
        .Silent("work that goes through a queue of the project's own",
            """
            public sealed class WorkQueue
            {
                public Task<T> Post<T>(Func<Task<T>> work) => work();
            }

            public sealed class Reader(AppDb db, WorkQueue queue)
            {
                public Task<int[]> ReadAsync(int[] ids) => Task.WhenAll(ids.Select(id => queue.Post(() => db.Orders.CountAsync(order => order.Id == id))));
            }
            """)
        .Silent("something else than a semaphore that lets one in at a time",
            """
            public interface IMutex { Task<IDisposable> LockAsync(); }

            public class Example(AppDb db, IMutex mutex, int[] ids)
            {
                public async Task Run(CancellationToken ct)
                {
                    await Task.WhenAll(ids.Select(async id => { using (await mutex.LockAsync()) { await db.Orders.FindAsync(id); } }));
                    var handle = TakeAsync(db, ct);
                    try
                    {
                        await db.Orders.CountAsync(ct);
                    }
                    finally
                    {
                        await handle;
                    }
                }

                private static Task TakeAsync(AppDb db, CancellationToken ct) => Task.Delay(db.GetHashCode(), ct);
            }
            """)
        .Silent("a source of one element at most, after all",
            """
            var ids = new[] { 1, 2 };
            await Task.WhenAll(ids.Take(1).Select(one => db.Orders.CountAsync(order => order.Id == one, ct)));
            await Task.WhenAll(ids.Where(one => one > 3).Take(1).ToList().Select(one => db.Orders.CountAsync(order => order.Id == one, ct)));
            """)
        .Silent("one after the other",
            """
            var a = await db.Orders.CountAsync(ct);
            var b = await db.Lines.CountAsync(ct);
            var c = db.Orders.CountAsync(ct);
            await c;
            await db.SaveChangesAsync(ct);
            var d = db.Orders.CountAsync(ct);
            await Task.WhenAll(d);
            await db.SaveChangesAsync(ct);
            """)
        .Silent("a context for each",
            """
            await using var other = await factory.CreateDbContextAsync(ct);
            await Task.WhenAll(db.Orders.CountAsync(ct), other.Lines.CountAsync(ct));
            await Task.WhenAll(new[] { 1, 2 }.Select(async x =>
            {
                await using var own = await factory.CreateDbContextAsync(ct);
                return await own.Orders.FindAsync(x);
            }));
            """)
        .Silent("exclusive branches",
            """
            Task<int> a;
            if (id > 3)
            {
                var b = db.Orders.CountAsync(ct);
                await b;
            }
            else
            {
                await db.Lines.CountAsync(ct);
            }

            a = id > 3 ? db.Orders.CountAsync(ct) : db.Lines.CountAsync(ct);
            await a;
            var c = id switch { 1 => db.Orders.CountAsync(ct), _ => db.Lines.CountAsync(ct) };
            await c;
            """)
        .Silent("a semaphore in between",
            """
            public async Task Run(SemaphoreSlim gate)
            {
                var a = db.Orders.CountAsync();
                await gate.WaitAsync();
                await db.Lines.CountAsync();
                await a;
                await Task.WhenAll(new[] { 1, 2 }.Select(async x => { await gate.WaitAsync(); await db.Orders.FindAsync(x); gate.Release(); }));
            }
            """)
        .Silent("a lambda that runs later",
            """
            var a = db.Orders.CountAsync(ct);
            Func<Task<int>> later = () => db.Lines.CountAsync(ct);
            await a;
            await later();
            """)
        .Silent("the task is looked at",
            """
            var a = db.Orders.CountAsync(ct);
            if (a.IsCompleted)
            {
                await db.Lines.CountAsync(ct);
            }

            var b = db.Orders.CountAsync(ct);
            await Finish();
            await db.SaveChangesAsync(ct);
            await b;

            async Task Finish() => await b;
            """)
        .Silent("a new context in each turn of a loop",
            """
            foreach (var x in new[] { 1, 2 })
            {
                await using var own = await factory.CreateDbContextAsync(ct);
                var a = own.Orders.CountAsync(ct);
                if (x == 1)
                {
                    continue;
                }

                await a;
            }
            """)
        .Silent("a loop that waits before it goes on",
            """
            var tasks = new List<Task>();
            foreach (var x in new[] { 1, 2 })
            {
                tasks.Add(db.Orders.Where(o => o.Id == x).ExecuteDeleteAsync(ct));
                await Task.WhenAll(tasks);
            }
            """)
        .Silent("a context that may be another one",
            """
            public AppDb Current { get; set; } = null!;

            public async Task Run(AppDb a)
            {
                await Task.WhenAll(Current.Orders.CountAsync(), Current.Lines.CountAsync());
                var task = a.Orders.CountAsync();
                a = factory.CreateDbContext();
                await a.Lines.CountAsync();
                await task;
            }
            """)
        .Silent("what talks to no server",
            """
            var a = db.Orders.CountAsync(ct);
            db.Orders.Add(new Order());
            await db.Orders.AddAsync(new Order(), ct);
            var query = db.Lines.Where(line => line.Id > db.Orders.Count());
            await a;
            """)
        .Silent("work that is not the database's",
            """
            await Task.WhenAll(db.SaveChangesAsync(ct), Task.Delay(1, ct), http.GetAsync(text, ct));
            var a = db.Orders.CountAsync(ct);
            await Task.Delay(1, ct);
            using var response = await http.GetAsync(text, ct);
            await Task.WhenAny(a, Task.Delay(1, ct));
            await db.SaveChangesAsync(ct);
            """)
        .Silent("one element, or a query per element of LINQ to the database",
            """
            await Task.WhenAll(new[] { 1 }.Select(x => db.Orders.CountAsync(o => o.Id == x)));
            var list = db.Orders.Select(o => db.Lines.Count(line => line.OrderId == o.Id)).ToListAsync(ct);
            await list;
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
