namespace EfPooling.Analyzers.Tests;

public sealed class SlowWaitInTransactionTests
{
    private const string Gateway =
        """
        public interface IGateway { Task PayAsync(int id); }

        public class Example(AppDb db, IGateway gateway)
        {
            public async Task Run()
            {
                await using var tx = await db.Database.BeginTransactionAsync();
                await {|EFP0009:gateway.PayAsync(1)|};
                await tx.CommitAsync();
            }
        }
        """;

    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.SlowWaitInTransaction, () => new FlowRulesAnalyzer())
        .Fires("an HTTP request between begin and commit",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            using var response = await {|EFP0009:http.GetAsync(text, ct)|}.ConfigureAwait(false);
            await tx.CommitAsync(ct);
            """)
        .Fires("JSON, delays, sleeps and blocking",
            """
            using var tx = conn.BeginTransaction();
            var order = await {|EFP0009:System.Net.Http.Json.HttpClientJsonExtensions.GetFromJsonAsync<Order>(http, text, ct)|};
            await {|EFP0009:Task.Delay(100, ct)|};
            {|EFP0009:Thread.Sleep(100)|};
            {|EFP0009:http.GetAsync(text, ct)|}.Wait(ct);
            var body = {|EFP0009:http.GetStringAsync(text, ct)|}.GetAwaiter().GetResult();
            tx.Commit();
            """)
        .Fires("mail, sockets, processes and timers",
            """
            public async Task Run(System.Net.Mail.SmtpClient mail, System.Net.Sockets.Socket socket, System.Diagnostics.Process process, PeriodicTimer timer)
            {
                using var tx = await conn.BeginTransactionAsync();
                {|EFP0009:mail.Send("a", "b", "c", "d")|};
                await {|EFP0009:socket.SendAsync(new byte[1])|};
                await {|EFP0009:process.WaitForExitAsync()|};
                await {|EFP0009:timer.WaitForNextTickAsync()|};
                await tx.CommitAsync();
            }
            """)
        .Fires("in a loop, in a branch, in finally and in a using statement",
            """
            await using (var tx = await db.Database.BeginTransactionAsync(ct))
            {
                foreach (var url in new[] { "a", "b" })
                {
                    try
                    {
                        await {|EFP0009:http.GetAsync(url, ct)|};
                    }
                    finally
                    {
                        await {|EFP0009:Task.Delay(1, ct)|};
                    }
                }

                if (id > 3)
                {
                    await tx.RollbackAsync(ct);
                    await http.GetAsync(text, ct);
                    return;
                }

                await tx.CommitAsync(ct);
            }
            """)
        .Fires("only the waits on a path on which the transaction is open",
            """
            var tx = await db.Database.BeginTransactionAsync(ct);
            try
            {
                await db.SaveChangesAsync(ct);
                if (id > 3)
                {
                    await tx.CommitAsync(ct);
                }

                await {|EFP0009:Task.Delay(1, ct)|};
            }
            finally
            {
                await tx.DisposeAsync();
            }

            await Task.Delay(2, ct);
            """)
        .Fires("in the lambda of an execution strategy",
            """
            await db.Database.CreateExecutionStrategy().ExecuteAsync(async () =>
            {
                await using var tx = await db.Database.BeginTransactionAsync(ct);
                await {|EFP0009:http.GetAsync(text, ct)|};
                await tx.CommitAsync(ct);
            });
            """)
        .Fires("a connection of the pool, a transaction passed to Dapper",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await using var tx = await own.BeginTransactionAsync(ct);
            await own.ExecuteAsync("SELECT 1", transaction: tx);
            await {|EFP0009:http.GetAsync(text, ct)|};
            await tx.CommitAsync(ct);
            """)
        .Add(new RuleCase("A type that the option names", Gateway)
        {
            Options = new Dictionary<string, string> { ["dotnet_code_quality.EFP0009.additional_slow_types"] = "Acme.Unknown, IGateway" },
        })
        .Silent("an interface that no option names", Gateway.Replace("{|EFP0009:", "", StringComparison.Ordinal).Replace("|}", "", StringComparison.Ordinal))
        .Silent("before and after",
            """
            using var response = await http.GetAsync(text, ct);
            await using (var tx = await db.Database.BeginTransactionAsync(ct))
            {
                await db.SaveChangesAsync(ct);
                await tx.CommitAsync(ct);
                await http.GetAsync(text, ct);
            }

            await Task.Delay(1, ct);
            """)
        .Silent("a lambda that runs later, and a request that is awaited later",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            Func<Task> later = () => Task.Delay(1, ct);
            var request = http.GetAsync(text, ct);
            await db.SaveChangesAsync(ct);
            await tx.CommitAsync(ct);
            await request;
            await later();
            """)
        .Silent("somebody else may have ended it",
            """
            public async Task Run()
            {
                var tx = await db.Database.BeginTransactionAsync();
                await FinishAsync(tx);
                await Task.Delay(1);
            }

            private static async Task FinishAsync(IDbContextTransaction tx) => await tx.DisposeAsync();
            """)
        .Silent("others who have the context may have ended it",
            """
            public interface IUnitOfWork { Task CommitAsync(CancellationToken ct); }

            public static class Extensions { public static Task Finish(this AppDb db) => db.Database.CommitTransactionAsync(); }

            public class Example(AppDb db, IUnitOfWork work, HttpClient http)
            {
                public async Task Work(CancellationToken ct)
                {
                    await using var tx = await db.Database.BeginTransactionAsync(ct);
                    await work.CommitAsync(ct);
                    await http.GetAsync("x", ct);
                }

                public async Task Extension(CancellationToken ct)
                {
                    await using var tx = await db.Database.BeginTransactionAsync(ct);
                    await db.Finish();
                    await http.GetAsync("x", ct);
                }
            }

            public class Second(AppDb db, HttpClient http)
            {
                public async Task Run(CancellationToken ct)
                {
                    await using var tx = await db.Database.BeginTransactionAsync(ct);
                    await EndAsync(ct);
                    await http.GetAsync("x", ct);
                }

                private Task EndAsync(CancellationToken ct) => db.Database.CommitTransactionAsync(ct);
            }
            """)
        .Silent("a local function or a lambda may have ended it",
            """
            await using (var tx = await db.Database.BeginTransactionAsync(ct))
            {
                await Done();
                await http.GetAsync(text, ct);

                Task Done() => Finish();
                Task Finish() => tx.CommitAsync(ct);
            }

            await using var second = await db.Database.BeginTransactionAsync(ct);
            Func<Task> finish = () => second.CommitAsync(ct);
            await finish();
            await http.GetAsync(text, ct);
            """)
        .Fires("methods of the same type that end nothing",
            """
            public async Task Run(CancellationToken ct)
            {
                await using var tx = await db.Database.BeginTransactionAsync(ct);
                await AuditAsync(ct);
                Check();
                await {|EFP0009:http.GetAsync(text, ct)|};
                await tx.CommitAsync(ct);

                void Check() => Console.WriteLine(text);
            }

            private Task AuditAsync(CancellationToken ct) => db.SaveChangesAsync(ct);
            """)
        .Silent("the facade ends it",
            """
            using var tx = db.Database.BeginTransaction();
            db.Database.CommitTransaction();
            await Task.Delay(1, ct);
            """)
        .Silent("a null check before commit",
            """
            var tx = db.Database.BeginTransaction();
            tx?.Commit();
            await Task.Delay(1, ct);
            """)
        .Silent("a wait of no length",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            await Task.Delay(0, ct);
            Thread.Sleep(0);
            await Task.Delay(TimeSpan.Zero, ct);
            Thread.Sleep(TimeSpan.Zero);
            await Task.Yield();
            await tx.CommitAsync(ct);
            """)
        .Silent("what does not wait in spite of its name",
            """
            public async Task Run(System.Net.Mail.SmtpClient mail, System.Net.Mail.MailMessage message, System.Net.Sockets.Socket socket, System.Net.Sockets.SocketAsyncEventArgs e)
            {
                using var tx = await conn.BeginTransactionAsync();
                mail.SendAsync(message, null);
                mail.SendAsyncCancel();
                socket.SendAsync(e);
                await tx.CommitAsync();
            }
            """)
        .Silent("a connection of its own",
            """
            await using var own = await source.OpenConnectionAsync(ct);
            await using var tx = await own.BeginTransactionAsync(ct);
            await Task.Delay(1000, ct);
            await tx.CommitAsync(ct);
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
