namespace EfPooling.Analyzers.Tests;

public sealed class CapturedByParallelCodeTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.CapturedByParallelCode, () => new FlowRulesAnalyzer())
        .Fires("the loops of Parallel",
            """
            await Parallel.ForEachAsync(new[] { 1, 2 }, ct, async (x, t) => await {|EFP0007:db.Orders.FindAsync([x], t)|});
            Parallel.ForEach(new[] { 1, 2 }, x => { {|EFP0007:conn.Execute("SELECT 1")|}; conn.Execute("SELECT 2"); });
            Parallel.For(0, 3, x => {|EFP0007:db.SaveChanges()|});
            await Parallel.ForEachAsync(new[] { 1, 2 }, async (x, t) => await {|EFP0007:LoadAsync(db)|});

            static Task LoadAsync(AppDb shared) => shared.Orders.LoadAsync();
            """)
        .Fires("two functions of Parallel.Invoke",
            "Parallel.Invoke(() => db.Orders.Count(), () => {|EFP0007:db.Lines.Count()|}, () => conn.Execute(\"SELECT 1\"));")
        .Fires("PLINQ",
            """
            new[] { 1, 2 }.AsParallel().ForAll(x => {|EFP0007:db.SaveChanges()|});
            var counts = new[] { 1, 2 }.AsParallel().Select(x => {|EFP0007:db.Orders.Count(o => o.Id == x)|}).ToList();
            """)
        .Fires("threads, the thread pool and tokens",
            """
            new Thread(() => {|EFP0007:db.SaveChanges()|}).Start();
            ThreadPool.QueueUserWorkItem(_ => {|EFP0007:conn.Execute("SELECT 1")|});
            using var registration = ct.Register(() => {|EFP0007:db.Database.RollbackTransaction()|});
            """)
        .Fires("timers",
            """
            private Timer? _timer;

            public void Start(System.Timers.Timer other)
            {
                _timer = new Timer(_ => {|EFP0007:db.SaveChanges()|}, null, 0, 1000);
                other.Elapsed += (_, _) => {|EFP0007:db.SaveChanges()|};
                other.Elapsed += {|EFP0007:OnElapsed|};
            }

            private void OnElapsed(object? sender, System.Timers.ElapsedEventArgs e) => db.SaveChanges();
            """)
        .Fires("an asynchronous lambda that nobody can await",
            "new List<int> { 1, 2 }.ForEach(async x => await {|EFP0007:db.Orders.FindAsync(x)|});")
        .Fires("Task.Run that nobody waits for",
            """
            _ = Task.Run(() => {|EFP0007:db.SaveChangesAsync(ct)|}, ct);
            _ = Task.Factory.StartNew(() => {|EFP0007:db.SaveChanges()|}, ct);
            _ = Task.CompletedTask.ContinueWith(t => {|EFP0007:db.SaveChanges()|}, ct);
            var running = Task.Run(() => {|EFP0007:db.Orders.Count()|}, ct);
            await db.SaveChangesAsync(ct);
            await running;
            """)
        .Fires("two Task.Run at once",
            """
            await Task.WhenAll(Task.Run(() => db.Orders.Count(), ct), Task.Run(() => {|EFP0007:db.Lines.Count()|}, ct), Task.Run(() => conn.Execute("SELECT 1"), ct));
            Task.WaitAll([db.SaveChangesAsync(ct), Task.Run(() => {|EFP0007:db.Lines.Count()|}, ct)], ct);
            """)
        .Fires("two Task.Run in locals, in a list, and beside each other in an initialiser",
            """
            var a = Task.Run(() => {|EFP0007:db.Orders.Count()|}, ct);
            var b = Task.Run(() => db.Lines.Count(), ct);
            await Task.WhenAll(a, b);
            var list = new List<Task> { Task.Run(() => {|EFP0007:db.Orders.Count()|}, ct) };
            list.Add(Task.Run(() => db.Lines.Count(), ct));
            await Task.WhenAll(list);
            var pair = new List<Task> { Task.Run(() => db.Orders.Count(), ct), Task.Run(() => {|EFP0007:db.Lines.Count()|}, ct) };
            await Task.WhenAll(pair);
            Task c, d;
            c = Task.Factory.StartNew(() => {|EFP0007:conn.Execute("SELECT 1")|});
            d = Task.Run(() => conn.Execute("SELECT 2"));
            Task.WaitAll(c, d);
            """)
        .Fires("an asynchronous lambda in a local that gives no task",
            """
            Action save = async () => await {|EFP0007:db.SaveChangesAsync(ct)|};
            save();
            """)
        .Silent("an asynchronous lambda in a local that gives one",
            """
            Func<Task> save = async () => await db.SaveChangesAsync(ct);
            await save();
            """)
        .Fires("methods of the type that use the same field",
            """
            private readonly AppDb _db = null!;

            public void Each(List<Order> orders)
            {
                orders.ForEach(async order => { await {|EFP0007:Process(order)|}; });
                Parallel.ForEach(orders, order => {|EFP0007:Save()|});
            }

            private async Task Process(Order order) => await _db.Lines.CountAsync(line => line.Id == order.Id);

            private void Save() => _db.SaveChanges();
            """)
        .Silent("two Task.Run, one after the other, and each with its own",
            """
            var a = Task.Run(() => db.Orders.Count(), ct);
            await a;
            var b = Task.Run(() => db.Lines.Count(), ct);
            await b;
            var c = Task.Run(async () => { await using var own = await factory.CreateDbContextAsync(ct); return await own.Orders.CountAsync(ct); }, ct);
            var d = Task.Run(() => conn.Execute("SELECT 1"), ct);
            await Task.WhenAll(c, d);
            """)
        .Fires("Task.Run in a loop",
            """
            var tasks = new List<Task>();
            foreach (var x in new[] { 1, 2 })
            {
                tasks.Add(Task.Run(() => {|EFP0007:db.Orders.Find(x)|}, ct));
            }

            await Task.WhenAll(tasks);
            """)
        .Fires("a local function and a method",
            """
            public void Run()
            {
                Parallel.ForEach(new[] { 1, 2 }, {|EFP0007:Find|});
                Parallel.ForEach(new[] { 1, 2 }, {|EFP0007:Inner|});

                void Inner(int x) => db.Orders.Find(x);
            }

            private void Find(int x) => db.Orders.Find(x);
            """)
        .Fires("a connection of the pool from outside",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await Parallel.ForEachAsync(new[] { 1, 2 }, async (x, t) => await {|EFP0007:own.ExecuteAsync("SELECT 1")|});
            """)
        .Silent("what the code disposes of itself, and a connection beside the pool",
            """
            private readonly NpgsqlConnection _listener = new("Host=a");

            public void Start(AppDb own)
            {
                new Thread(Listen).Start();
                _ = Task.Run(async () =>
                {
                    await using (own)
                    {
                        await own.SaveChangesAsync();
                    }
                });
            }

            private void Listen() => _listener.Wait();
            """)
        .Silent("a turn that is taken before the code is started",
            """
            var one = new SemaphoreSlim(1);
            var tasks = new List<Task>();
            for (var i = 0; i < 3; i++)
            {
                await one.WaitAsync(ct);
                tasks.Add(Task.Run(async () =>
                {
                    await db.SaveChangesAsync(ct);
                    one.Release();
                }));
            }

            await Task.WhenAll(tasks);
            """)
        .Silent("one at a time by monitors, locks and mutexes",
            """
            var ids = new[] { 1, 2 };
            var gate = new object();
            using var mutex = new Mutex();
            var newer = new Lock();
            Parallel.ForEach(ids, one => { Monitor.Enter(gate); try { db.SaveChanges(); } finally { Monitor.Exit(gate); } });
            Parallel.ForEach(ids, one => { mutex.WaitOne(); try { db.SaveChanges(); } finally { mutex.ReleaseMutex(); } });
            Parallel.ForEach(ids, one => { using (newer.EnterScope()) { db.SaveChanges(); } });
            """)
        .Silent("a thread that is waited for",
            """
            var thread = new Thread(() => db.SaveChanges());
            thread.Start();
            thread.Join();
            """)
        .Silent("a context of its own",
            """
            await Parallel.ForEachAsync(new[] { 1, 2 }, ct, async (x, t) =>
            {
                await using var own = await factory.CreateDbContextAsync(t);
                await own.Orders.FindAsync([x], t);
                await using var connection = await pool.OpenConnectionAsync(t);
                await connection.ExecuteAsync("SELECT 1");
            });
            Parallel.ForEach(new[] { 1, 2 }, () => factory.CreateDbContext(), (x, state, own) => { own.Orders.Find(x); return own; }, own => own.Dispose());
            """)
        .Silent("one at a time",
            """
            Parallel.ForEach(new[] { 1, 2 }, new ParallelOptions { MaxDegreeOfParallelism = 1 }, x => db.Orders.Find(x));
            var options = new ParallelOptions { MaxDegreeOfParallelism = 1, CancellationToken = ct };
            await Parallel.ForEachAsync(new[] { 1, 2 }, options, async (x, t) => await db.Orders.FindAsync([x], t));
            new[] { 1, 2 }.AsParallel().WithDegreeOfParallelism(1).ForAll(x => db.Orders.Find(x));
            Parallel.Invoke(() => db.Orders.Count(), () => conn.Execute("SELECT 1"));
            """)
        .Silent("Task.Run that is waited for",
            """
            public Task<int> Later() => Task.Run(() => db.Orders.Count());

            public async Task Run()
            {
                await Task.Run(() => db.SaveChanges());
                await Task.Run(async () => await db.SaveChangesAsync()).ConfigureAwait(false);
                Task.Run(() => db.SaveChangesAsync()).Wait();
                var count = Task.Run(() => db.Orders.Count());
                Console.WriteLine("meanwhile");
                Console.WriteLine(await count);
                await db.SaveChangesAsync();
            }
            """)
        .Silent("a lock or a semaphore",
            """
            public async Task Run(SemaphoreSlim gate, object key)
            {
                Parallel.ForEach(new[] { 1, 2 }, x => { lock (key) { db.Orders.Find(x); } });
                await Parallel.ForEachAsync(new[] { 1, 2 }, async (x, t) => { await gate.WaitAsync(t); await db.Orders.FindAsync([x], t); gate.Release(); });
            }
            """)
        .Silent("a context that is given away",
            """
            var own = factory.CreateDbContext();
            _ = Task.Run(async () => { await own.SaveChangesAsync(); await own.DisposeAsync(); }, ct);
            """)
        .Silent("what talks to no server, and data",
            """
            Parallel.ForEach(new[] { 1, 2 }, x => Console.WriteLine(db.Orders.Local.Count));
            using var command = conn.CreateCommand();
            using var registration = ct.Register(() => command.Cancel());
            var orders = db.Orders.Where(o => db.Lines.Any(l => l.OrderId == o.Id)).ToList().AsParallel().Select(o => o.Id).ToList();
            """)
        .Silent("ordinary lambdas and event handlers",
            """
            public event EventHandler? Changed;

            public void Run()
            {
                new List<int> { 1, 2 }.ForEach(x => db.Orders.Find(x));
                Changed += async (_, _) => await db.SaveChangesAsync();
                Func<Task> later = () => db.SaveChangesAsync();
                Changed?.Invoke(this, EventArgs.Empty);
            }
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
