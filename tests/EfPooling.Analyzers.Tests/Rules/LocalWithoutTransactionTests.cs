namespace EfPooling.Analyzers.Tests;

public sealed class LocalWithoutTransactionTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.LocalWithoutTransaction, () => new SqlRulesAnalyzer())
        .Fires(
            "SET LOCAL when a connection opens",
            """
            public sealed class Tenant : DbConnectionInterceptor
            {
                public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
                {
                    using var command = connection.CreateCommand();
                    command.CommandText = "{|EFP0013:SET LOCAL|} app.tenant = '7'";
                    command.ExecuteNonQuery();
                }

                public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
                {
                    await connection.ExecuteAsync("SELECT {|EFP0013:set_config('app.tenant', '7', true)|}");
                    await connection.ExecuteAsync("SELECT {|EFP0013:pg_advisory_xact_lock(1)|}");
                }
            }
            """)
        .Fires(
            "an interceptor that has the interface, not the base class",
            """
            public sealed class Tenant : IDbConnectionInterceptor
            {
                public void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
                {
                    using var command = connection.CreateCommand();
                    command.CommandText = "{|EFP0013:SET LOCAL|} app.tenant = '7'";
                    command.ExecuteNonQuery();
                }

                Task IDbConnectionInterceptor.ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken)
                    => connection.ExecuteAsync("{|EFP0013:SET LOCAL|} app.tenant = '7'");
            }
            """)
        .Fires(
            "a context or connection that the member has made, and no transaction",
            """
            await using var own = await factory.CreateDbContextAsync(ct);
            await own.Database.ExecuteSqlRawAsync("SELECT {|EFP0013:pg_try_advisory_xact_lock(1)|}", ct);
            await own.SaveChangesAsync(ct);
            await using var pooled = await pool.OpenConnectionAsync(ct);
            await pooled.ExecuteAsync("{|EFP0013:CREATE TEMP TABLE|} t (id int) ON COMMIT DROP");
            await pooled.ExecuteAsync("INSERT INTO t VALUES (1)");
            """)
        .FiresInProgram(
            "an injected one, where nothing in the project that begins a transaction comes here",
            """
            public async Task First(CancellationToken ct)
            {
                await db.Database.ExecuteSqlRawAsync("{|EFP0013:SET LOCAL|} app.tenant = '7'", ct);
                using var command = conn.CreateCommand();
                command.CommandText = "SELECT {|EFP0013:set_config('app.tenant', '7', true)|}";
                await command.ExecuteNonQueryAsync(ct);
            }

            public async Task Second(CancellationToken ct)
            {
                await using var tx = await db.Database.BeginTransactionAsync(ct);
                await db.SaveChangesAsync(ct);
                await tx.CommitAsync(ct);
            }
            """)
        .Fires(
            "before the transaction, and after its end",
            """
            await db.Database.ExecuteSqlRawAsync("SELECT {|EFP0013:pg_advisory_xact_lock(1)|}", ct);
            await using (var tx = await db.Database.BeginTransactionAsync(ct))
            {
                await db.Database.ExecuteSqlRawAsync("SELECT pg_advisory_xact_lock(1)", ct);
                await tx.CommitAsync(ct);
                await db.Database.ExecuteSqlRawAsync("{|EFP0013:SET LOCAL|} app.tenant = '7'", ct);
            }

            await db.Database.ExecuteSqlRawAsync("{|EFP0013:SET LOCAL|} app.tenant = '8'", ct);
            """)
        .Silent(
            "a transaction of the member's, also under a condition or in a lambda",
            """
            await using var own = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(ct) : null;
            await db.Database.ExecuteSqlRawAsync("SET LOCAL hnsw.ef_search = 100", ct);
            if (own is not null) await own.CommitAsync(ct);
            await factory.CreateDbContext().Database.CreateExecutionStrategy().ExecuteAsync(async () =>
            {
                await using var mine = await factory.CreateDbContextAsync(ct);
                await using var tx = await mine.Database.BeginTransactionAsync(ct);
                await mine.Database.ExecuteSqlRawAsync("SET LOCAL hnsw.ef_search = 100", ct);
                await tx.CommitAsync(ct);
            });
            """)
        .SilentInProgram(
            "a method that is called in a transaction, or that is given its connection",
            """
            public async Task Outer(CancellationToken ct)
            {
                await using var tx = await db.Database.BeginTransactionAsync(ct);
                await Middle(ct);
                await tx.CommitAsync(ct);
            }

            private Task Middle(CancellationToken ct) => Inner(ct);

            private Task Inner(CancellationToken ct) => db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'", ct);

            public static Task Given(DbConnection own, DbTransaction tx) => own.ExecuteAsync("SELECT pg_advisory_xact_lock(1)");

            public Task With(DbTransaction tx) => conn.ExecuteAsync("SELECT pg_advisory_xact_lock(1)", transaction: tx);
            """)
        .SilentInProgram(
            "a unit of work that begins for others, and a filter that runs what it is given",
            """
            public sealed class Unit(AppDb db)
            {
                private IDbContextTransaction? _tx;

                public async Task StartAsync() => _tx = await db.Database.BeginTransactionAsync();

                public Task EndAsync() => _tx!.CommitAsync();
            }

            public sealed class Repository(AppDb db)
            {
                public Task LockAsync() => db.Database.ExecuteSqlRawAsync("SELECT pg_advisory_xact_lock(1)");
            }

            public sealed class Service(Unit unit, Repository repository)
            {
                public async Task RunAsync()
                {
                    await unit.StartAsync();
                    await repository.LockAsync();
                    await unit.EndAsync();
                }
            }
            """)
        .SilentInProgram(
            "behind a filter that runs whatever comes next in a transaction",
            """
            public sealed class InTransaction(AppDb db)
            {
                public async Task Invoke(Func<Task> next)
                {
                    await using var tx = await db.Database.BeginTransactionAsync();
                    await next();
                    await tx.CommitAsync();
                }
            }

            public sealed class Handler(AppDb db)
            {
                public Task Handle() => db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'");
            }
            """)
        .SilentInProgram(
            "behind a set-up that a framework calls, and that leaves a transaction open",
            """
            public sealed class Setup(AppDb db) : IHostedService
            {
                private IDbContextTransaction? _tx;

                public async Task StartAsync(CancellationToken ct) => _tx = await db.Database.BeginTransactionAsync(ct);

                public Task StopAsync(CancellationToken ct) => _tx!.RollbackAsync(ct);

                public static Task Again(IHostedService other) => other.StartAsync(default);
            }

            internal sealed class Handler(AppDb db)
            {
                internal Task Handle() => db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'");
            }
            """)
        .SilentInProgram(
            "behind a filter that nobody in the project calls, and that leaves a transaction open",
            """
            internal sealed class Filter(AppDb db)
            {
                private IDbContextTransaction? _tx;

                internal void OnExecuting() => _tx = db.Database.BeginTransaction();

                internal void OnExecuted() => _tx!.Commit();
            }

            internal sealed class Handler(AppDb db)
            {
                internal Task Handle() => db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'");
            }
            """)
        .SilentInProgram(
            "behind a constructor that begins a transaction",
            """
            internal sealed class Unit
            {
                internal Unit(AppDb db) => Transaction = db.Database.BeginTransaction();

                internal IDbContextTransaction Transaction { get; }

                internal static Unit Of(AppDb db) => new Unit(db);
            }

            internal sealed class Handler(AppDb db)
            {
                internal Task Handle() => db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'");
            }
            """)
        .SilentInProgram(
            "behind a field that is a transaction from the start",
            """
            internal sealed class Unit(AppDb db)
            {
                private readonly IDbContextTransaction _tx = db.Database.BeginTransaction();

                internal void End() => _tx.Commit();
            }

            internal sealed class Handler(AppDb db)
            {
                internal Task Handle() => db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'");
            }
            """)
        .SilentInProgram(
            "in a transaction that an execution strategy begins",
            """
            public Task First(CancellationToken ct)
            {
                var strategy = db.Database.CreateExecutionStrategy();
                return strategy.ExecuteInTransactionAsync(() => db.Database.ExecuteSqlRawAsync("SELECT pg_advisory_xact_lock(1)", ct), () => Task.FromResult(true));
            }

            public void Second() => db.Database.CreateExecutionStrategy().ExecuteInTransaction(Third, () => true);

            private void Third() => Fourth();

            private void Fourth() => db.Database.ExecuteSqlRaw("SET LOCAL app.tenant = '7'");

            public Task Fifth(Func<Task> work) => db.Database.CreateExecutionStrategy().ExecuteInTransactionAsync(work, () => Task.FromResult(true));

            public Task Sixth() => Fifth(Seventh);

            private Task Seventh() => db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'");
            """)
        .FiresInProgram(
            "beside the transaction of an execution strategy",
            """
            public async Task First(CancellationToken ct)
            {
                await db.Database.CreateExecutionStrategy().ExecuteInTransactionAsync(() => db.SaveChangesAsync(ct), () => Task.FromResult(true));
                await db.Database.ExecuteSqlRawAsync("{|EFP0013:SET LOCAL|} app.tenant = '7'", ct);
            }

            public Task Second(CancellationToken ct) => db.Database.ExecuteSqlRawAsync("{|EFP0013:SET LOCAL|} app.tenant = '7'", ct);
            """)
        .SilentInProgram(
            "a transaction in a local that goes elsewhere",
            """
            public sealed class Unit(AppDb db)
            {
                private IDbContextTransaction? _tx;

                public async Task StartAsync() { var tx = await db.Database.BeginTransactionAsync(); _tx = tx; }

                public Task EndAsync() => _tx!.CommitAsync();
            }

            public sealed class Service(Unit unit, AppDb db)
            {
                public async Task RunAsync() { await unit.StartAsync(); await LockAsync(); await unit.EndAsync(); }

                private Task LockAsync() => db.Database.ExecuteSqlRawAsync("SELECT pg_advisory_xact_lock(1)");
            }
            """)
        .Silent(
            "a library, whose callers may have begun one",
            """
            public sealed class Repository(AppDb db)
            {
                public Task LockAsync() => Inner();

                private Task Inner() => db.Database.ExecuteSqlRawAsync("SELECT pg_advisory_xact_lock(1)");
            }

            public sealed class OtherDb(DbContextOptions<OtherDb> options) : DbContext(options)
            {
                public Task LockAsync() => Database.ExecuteSqlRawAsync("SELECT pg_advisory_xact_lock(1)");
            }

            public interface ILocks { Task TakeAsync(); }

            internal sealed class Locks(AppDb db) : ILocks
            {
                public Task TakeAsync() => db.Database.ExecuteSqlRawAsync("SELECT pg_advisory_xact_lock(1)");
            }

            internal sealed class Comparer(AppDb db) : IComparer<int>
            {
                int IComparer<int>.Compare(int x, int y) => db.Database.ExecuteSqlRaw("SELECT pg_advisory_xact_lock(1)");
            }
            """)
        .Fires(
            "a part of a library that nobody outside can call",
            """
            internal sealed class Repository(AppDb db)
            {
                public Task LockAsync() => db.Database.ExecuteSqlRawAsync("SELECT {|EFP0013:pg_advisory_xact_lock(1)|}");
            }
            """)
        .SilentInProgram(
            "a member that looks whether there is a transaction, itself or by a guard",
            """
            public async Task First(CancellationToken ct)
            {
                if (db.Database.CurrentTransaction is null) { throw new InvalidOperationException(); }
                await db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'", ct);
            }

            public async Task Second(CancellationToken ct)
            {
                EnsureTransaction();
                await db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'", ct);
            }

            private void EnsureTransaction() { if (db.Database.CurrentTransaction is null) { throw new InvalidOperationException(); } }
            """)
        .SilentInProgram(
            "a transaction in which code of others gets an object, and may call anything",
            """
            using Microsoft.AspNetCore.Mvc.Filters;

            public sealed class Service(AppDb db, IAsyncActionFilter mediator)
            {
                public async Task Run(ActionExecutingContext message)
                {
                    await using var tx = await db.Database.BeginTransactionAsync();
                    await SendAsync(message);
                    await tx.CommitAsync();
                }

                private Task SendAsync(ActionExecutingContext message) => mediator.OnActionExecutionAsync(message, null!);
            }

            public sealed class Handler(AppDb db)
            {
                public Task Handle() => db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'");
            }
            """)
        .SilentInProgram(
            "a transaction in which an interface gets an object that nothing in the project implements",
            """
            public interface IDispatcher { Task Send(object message); }

            public sealed class Service(AppDb db, IDispatcher mediator)
            {
                public async Task Run(object message)
                {
                    await using var tx = await db.Database.BeginTransactionAsync();
                    await mediator.Send(message);
                    await tx.CommitAsync();
                }
            }

            public sealed class Handler(AppDb db)
            {
                public Task Handle() => db.Database.ExecuteSqlRawAsync("SET LOCAL app.tenant = '7'");
            }
            """)
        .FiresInProgram(
            "a transaction that only does what the code shows",
            """
            public interface IStore { Task Save(object message); }

            public sealed class Store(AppDb db) : IStore { public Task Save(object message) { db.Add(message); return db.SaveChangesAsync(); } }

            public sealed class Service(AppDb db, IStore store, Microsoft.Extensions.Logging.ILogger<Service> logger)
            {
                public async Task Run(object message)
                {
                    await using var tx = await db.Database.BeginTransactionAsync();
                    Microsoft.Extensions.Logging.LoggerExtensions.LogInformation(logger, "Saves {Message}", message);
                    await store.Save(message);
                    await tx.CommitAsync();
                }
            }

            public sealed class Handler(AppDb db)
            {
                public Task Handle() => db.Database.ExecuteSqlRawAsync("{|EFP0013:SET LOCAL|} app.tenant = '7'");
            }
            """)
        .Silent(
            "beside the statements that it is for, in one text or batch",
            """
            await db.Database.ExecuteSqlRawAsync("SET LOCAL enable_seqscan = off; UPDATE orders SET seen = true", ct);
            await conn.QueryAsync<int>("SET LOCAL enable_seqscan = off; SELECT id FROM orders");
            await conn.QueryAsync<int>("SELECT id, pg_advisory_xact_lock(id) FROM orders");
            await using var batch = conn.CreateBatch();
            var first = batch.CreateBatchCommand();
            first.CommandText = "SET LOCAL enable_seqscan = off";
            batch.BatchCommands.Add(first);
            """)
        .Silent("SET LOCAL when a transaction has begun",
            """
            public sealed class Tenant : DbTransactionInterceptor
            {
                public override DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
                {
                    connection.Execute("SET LOCAL app.tenant = '7'", transaction: result);
                    return result;
                }
            }
            """)
        .Silent("a method that begins a transaction, or has other statements in the text",
            """
            public sealed class Tenant : DbConnectionInterceptor
            {
                public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
                    => connection.Execute("SELECT set_config('role', 'a', true); UPDATE orders SET name = ''");

                public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
                {
                    await using var tx = await connection.BeginTransactionAsync(cancellationToken);
                    await connection.ExecuteAsync("SET LOCAL app.tenant = '7'", transaction: tx);
                    await tx.CommitAsync(cancellationToken);
                }
            }
            """)
        .Silent("an assembly with ambient transactions",
            """
            public sealed class Tenant : DbConnectionInterceptor
            {
                public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => connection.Execute("SET LOCAL app.tenant = '7'");
            }

            public static class Other
            {
                public static void Run() { using var scope = new System.Transactions.TransactionScope(); }
            }
            """)
        .Silent("another method of the interceptor",
            """
            public sealed class Tenant : DbConnectionInterceptor
            {
                public void Run(DbConnection connection) => connection.Execute("SET LOCAL app.tenant = '7'");

                public override void ConnectionClosed(DbConnection connection, ConnectionEndEventData eventData) => connection.Execute("SELECT set_config('a.b', '7', true)");
            }
            """)
        .Silent("an argument that is not known",
            """
            public sealed class Tenant(bool local) : DbConnectionInterceptor
            {
                public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
                    => connection.Execute($"SELECT set_config('app.tenant', '7', {local}); SET TRANSACTION READ ONLY");
            }
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
