namespace EfPooling.Analyzers.Tests;

public sealed class DiscardedTaskTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.DiscardedTask, () => new FlowRulesAnalyzer(), () => new DiscardedTaskFix())
        .Fires("assigned to a discard",
            """
            // Saves.
            _ = {|EFP0008:db.SaveChangesAsync(ct)|}; // later
            _ = {|EFP0008:conn.ExecuteAsync("SELECT 1")|};
            """,
            """
            // Saves.
            await db.SaveChangesAsync(ct); // later
            await conn.ExecuteAsync("SELECT 1");
            """)
        .Fires("behind ConfigureAwait and a null check",
            """
            AppDb? other = db;
            _ = {|EFP0008:db.SaveChangesAsync(ct)|}.ConfigureAwait(false);
            _ = other?{|EFP0008:.SaveChangesAsync(ct)|};
            """,
            """
            AppDb? other = db;
            await db.SaveChangesAsync(ct).ConfigureAwait(false);
            _ = other?.SaveChangesAsync(ct);
            """)
        .Fires("a local that nobody reads",
            """
            var count = {|EFP0008:db.Orders.CountAsync(ct)|};
            var found = {|EFP0008:db.Orders.FindAsync(id)|};
            """,
            """
            await db.Orders.CountAsync(ct);
            await db.Orders.FindAsync(id);
            """)
        .Fires("what has to be disposed of: awaiting it without keeping it would leave it open",
            """
            var tx = {|EFP0008:conn.BeginTransactionAsync(ct)|};
            _ = {|EFP0008:db.Database.BeginTransactionAsync(ct)|};
            var reader = {|EFP0008:conn.ExecuteReaderAsync("SELECT 1")|}.ConfigureAwait(false);
            """,
            """
            var tx = conn.BeginTransactionAsync(ct);
            _ = db.Database.BeginTransactionAsync(ct);
            var reader = conn.ExecuteReaderAsync("SELECT 1").ConfigureAwait(false);
            """)
        .Fires("a statement of a synchronous function is reported and left alone",
            """
            public void Run() { {|EFP0008:db.SaveChangesAsync()|}; }

            public Action Later => () => {|EFP0008:db.SaveChangesAsync()|};

            public void Lock() { lock (this) { _ = {|EFP0008:db.SaveChangesAsync()|}; } }
            """,
            """
            public void Run() { db.SaveChangesAsync(); }

            public Action Later => () => db.SaveChangesAsync();

            public void Lock() { lock (this) { _ = db.SaveChangesAsync(); } }
            """)
        .Fires("in a lambda",
            """
            Func<Task> later = async () => { _ = {|EFP0008:db.SaveChangesAsync(ct)|}; await Task.Yield(); };
            await later();
            """,
            """
            Func<Task> later = async () => { await db.SaveChangesAsync(ct); await Task.Yield(); };
            await later();
            """)
        .Fires("comments stay",
            """
            // Saves.
            _ = /* fire and forget */ {|EFP0008:db.SaveChangesAsync(ct)|};
            _ = // see #12
                {|EFP0008:db.SaveChangesAsync(ct)|}; // later
            var count /* of all */ = {|EFP0008:db.Orders.CountAsync(ct)|};
            """,
            """
            // Saves.
            /* fire and forget */ await db.SaveChangesAsync(ct);
            // see #12
            await db.SaveChangesAsync(ct); // later
            /* of all */ await db.Orders.CountAsync(ct);
            """)
        .Fires("the task of WhenAll, and of a method that uses the same field",
            """
            public void First(int[] ids)
            {
                {|EFP0008:Task.WhenAll(db.SaveChangesAsync())|};
                _ = {|EFP0008:Task.WhenAll(new[] { db.SaveChangesAsync() })|};
                var all = {|EFP0008:Task.WhenAll(ids.Select(id => db.Orders.FindAsync(id).AsTask()))|};
                {|EFP0008:Task.WhenAny(db.SaveChangesAsync(), Task.Delay(1))|};
                {|EFP0008:Save()|};
            }

            public async Task Second()
            {
                var a = db.Orders.CountAsync();
                _ = {|EFP0008:Task.WhenAll(a)|};
                await Task.Yield();
                _ = {|EFP0008:Save()|};
            }

            private async Task Save() => await db.SaveChangesAsync();
            """,
            """
            public void First(int[] ids)
            {
                Task.WhenAll(db.SaveChangesAsync());
                _ = Task.WhenAll(new[] { db.SaveChangesAsync() });
                var all = Task.WhenAll(ids.Select(id => db.Orders.FindAsync(id).AsTask()));
                Task.WhenAny(db.SaveChangesAsync(), Task.Delay(1));
                Save();
            }

            public async Task Second()
            {
                var a = db.Orders.CountAsync();
                await Task.WhenAll(a);
                await Task.Yield();
                _ = Save();
            }

            private async Task Save() => await db.SaveChangesAsync();
            """)
        .Silent("a WhenAll that is awaited, returned, or of something else",
            """
            public Task First() => Task.WhenAll(db.SaveChangesAsync());

            public async Task Second(Task other)
            {
                await Task.WhenAll(db.SaveChangesAsync());
                _ = Task.WhenAll(other, Task.Delay(1));
                Task.WhenAll(other).Wait();
                _ = Own();
            }

            private async Task Own() { await using var own = await factory.CreateDbContextAsync(); await own.SaveChangesAsync(); }
            """)
        .Silent("a method of one's own that works on a connection of its own, or that looks after its errors",
            """
            public sealed class Listener(AppDb db, string text)
            {
                private readonly NpgsqlConnection _own = new NpgsqlConnection(text);
                private readonly DbConnection _plain = new NpgsqlConnection(text);

                public void Start() { _ = ListenAsync(); _ = PlainAsync(); _ = SaveAsync(); _ = WorkAsync(); _ = Local(); async Task Local() { try { await db.SaveChangesAsync(); } catch (InvalidOperationException) { Console.WriteLine(text); } catch { Console.WriteLine(1); } } }

                private async Task ListenAsync() { await _own.ExecuteAsync("LISTEN orders"); while (true) { await _own.WaitAsync(); } }

                private async Task PlainAsync() => await _plain.ExecuteAsync("LISTEN orders");

                private async Task SaveAsync()
                {
                    try
                    {
                        await db.SaveChangesAsync();
                    }
                    catch (Exception error)
                    {
                        Console.WriteLine(error);
                    }
                }

                private async Task WorkAsync() { try { await db.SaveChangesAsync(); } catch { Console.WriteLine("failed"); } finally { Console.WriteLine("done"); } }
            }
            """)
        .Fires("a method of one's own that looks after some errors only",
            """
            public void First() { _ = {|EFP0008:Second()|}; _ = {|EFP0008:Third()|}; _ = {|EFP0008:Fourth()|}; }

            private async Task Second() { try { await db.SaveChangesAsync(); } catch (InvalidOperationException) { } }

            private async Task Third() { try { await db.SaveChangesAsync(); } catch (Exception error) when (error.Message == "") { } }

            private async Task Fourth() { await db.SaveChangesAsync(); try { await db.SaveChangesAsync(); } catch { } }
            """)
        .Silent("what a test expects of a substitute",
            """
            public static class Substitutes
            {
                public static T Received<T>(this T substitute, int calls = 1) where T : class => substitute;
                public static T DidNotReceive<T>(this T substitute) where T : class => substitute;
                public static void When<T>(this T substitute, Action<T> call) where T : class => call(substitute);
            }

            public class Example(AppDb db)
            {
                public void Saves()
                {
                    db.Received(1).SaveChangesAsync();
                    db.DidNotReceive().SaveChangesAsync();
                    db.When(own => own.SaveChangesAsync());
                }
            }
            """)
        .Fires("in a lambda without a body, where there is no statement to await it in",
            """
            new List<Order>().ForEach(order => {|EFP0008:db.SaveChangesAsync(ct)|});
            Action later = () => {|EFP0008:db.SaveChangesAsync(ct)|};
            await Task.Run(async () => _ = {|EFP0008:db.SaveChangesAsync(ct)|}, ct);
            later();
            """,
            """
            new List<Order>().ForEach(order => db.SaveChangesAsync(ct));
            Action later = () => db.SaveChangesAsync(ct);
            await Task.Run(async () => _ = db.SaveChangesAsync(ct), ct);
            later();
            """)
        .Fires("behind parentheses, and as something that cannot be awaited",
            """
            _ = ({|EFP0008:db.Orders.FindAsync(id)|}).AsTask().ConfigureAwait(false);
            _ = (object){|EFP0008:db.SaveChangesAsync(ct)|};
            """,
            """
            await (db.Orders.FindAsync(id)).AsTask().ConfigureAwait(false);
            _ = (object)db.SaveChangesAsync(ct);
            """)
        .Fires("a rollback, and a connection of the pool",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await using var tx = await own.BeginTransactionAsync(ct);
            _ = {|EFP0008:tx.RollbackAsync(ct)|};
            """)
        .Silent("awaited, returned, stored and passed on",
            """
            private Task? _running;

            public Task<int> Run() => db.SaveChangesAsync();

            public async Task Wait()
            {
                await db.SaveChangesAsync();
                var count = db.Orders.CountAsync();
                Console.WriteLine(await count);
                _running = db.SaveChangesAsync();
                Keep(db.SaveChangesAsync());
                db.SaveChangesAsync().Wait();
                _ = await db.Orders.CountAsync();
            }

            private static void Keep(Task task) => task.Wait();
            """)
        .Silent("a bare statement of an asynchronous function, which CS4014 reports",
            """
            #pragma warning disable CS4014
            db.SaveChangesAsync(ct);
            """)
        .Silent("tasks of something else",
            """
            _ = Task.Delay(1, ct);
            _ = http.GetAsync(text, ct);
            _ = db.Orders.AddAsync(new Order(), ct);
            """)
        .Silent("synchronous operations",
            """
            _ = db.SaveChanges();
            _ = db.Orders.Find(id);
            db.SaveChanges();
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
