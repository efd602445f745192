namespace EfPooling.Analyzers.Tests;

public sealed class IncompleteTransactionTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.IncompleteTransaction, () => new FlowRulesAnalyzer(), () => new IncompleteTransactionFix())
        .Fires("a transaction that is thrown away",
            """
            await {|EFP0010:db.Database.BeginTransactionAsync(ct)|};
            _ = {|EFP0010:conn.BeginTransaction()|};
            await db.SaveChangesAsync(ct);
            """)
        .Fires("a local that stays open when something fails",
            """
            // Begin.
            var tx = await {|EFP0010:db.Database.BeginTransactionAsync(ct)|}; // here
            await db.SaveChangesAsync(ct);
            await tx.CommitAsync(ct);
            """,
            """
            // Begin.
            await using var tx = await db.Database.BeginTransactionAsync(ct); // here
            await db.SaveChangesAsync(ct);
            await tx.CommitAsync(ct);
            """)
        .Fires("the same without await, and disposed of at the end only",
            """
            public void Run()
            {
                DbTransaction tx = {|EFP0010:conn.BeginTransaction(IsolationLevel.Serializable)|};
                conn.Execute("SELECT 1", transaction: tx);
                using var command = new NpgsqlCommand("SELECT 1", npgsql, (NpgsqlTransaction)tx);
                command.Transaction = (NpgsqlTransaction)tx;
                tx.Commit();
                tx.Dispose();
            }
            """,
            """
            public void Run()
            {
                using DbTransaction tx = conn.BeginTransaction(IsolationLevel.Serializable);
                conn.Execute("SELECT 1", transaction: tx);
                using var command = new NpgsqlCommand("SELECT 1", npgsql, (NpgsqlTransaction)tx);
                command.Transaction = (NpgsqlTransaction)tx;
                tx.Commit();
                tx.Dispose();
            }
            """)
        .Fires("a using local that writes and never commits",
            """
            await using var tx = await {|EFP0010:db.Database.BeginTransactionAsync(ct)|};
            await db.SaveChangesAsync(ct);
            """,
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            await db.SaveChangesAsync(ct);
            """)
        .Fires("using statements that write and never commit",
            """
            using (var tx = {|EFP0010:conn.BeginTransaction()|})
            {
                conn.Execute("INSERT INTO orders VALUES (1)", transaction: tx);
            }

            await using (await {|EFP0010:db.Database.BeginTransactionAsync(ct)|})
            {
                await db.Orders.ExecuteDeleteAsync(ct);
            }
            """)
        .Fires("in a lambda, on a connection of the pool",
            """
            Func<Task> later = async () =>
            {
                await using var own = await pool.OpenConnectionAsync(ct);
                await using var tx = await {|EFP0010:own.BeginTransactionAsync(ct)|};
                await own.ExecuteAsync("UPDATE orders SET name = 'a'", transaction: tx);
            };
            await later();
            """)
        .Fires("in a lambda without a body, where there is nothing to declare",
            """
            Action begin = () => {|EFP0010:db.Database.BeginTransaction()|};
            begin();
            """,
            """
            Action begin = () => db.Database.BeginTransaction();
            begin();
            """)
        .Fires("jumped over, which 'using' would forbid",
            """
            if (id > 3) goto end;
            var tx = await {|EFP0010:db.Database.BeginTransactionAsync(ct)|};
            await tx.CommitAsync(ct);
            end:
            """,
            """
            if (id > 3) goto end;
            var tx = await db.Database.BeginTransactionAsync(ct);
            await tx.CommitAsync(ct);
            end:
            """)
        .Silent("a commit that somebody else gets",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            await db.SaveChangesAsync(ct);
            await RetryAsync(tx.CommitAsync, ct);

            static Task RetryAsync(Func<CancellationToken, Task> run, CancellationToken token) => run(token);
            """)
        .Silent("another name by a pattern",
            """
            var begun = await db.Database.BeginTransactionAsync(ct);
            if (begun is { } live)
            {
                await using (live)
                {
                    await db.SaveChangesAsync(ct);
                    await live.CommitAsync(ct);
                }
            }
            """)
        .Silent("an extension of the project's own that is at home in a library's namespace",
            """
            namespace Microsoft.EntityFrameworkCore
            {
                public static class Endings
                {
                    public static Task FinishAsync(this IDbContextTransaction transaction) => transaction.CommitAsync();
                }
            }

            public sealed class Writer(AppDb db)
            {
                public async Task WriteAsync()
                {
                    await using var tx = await db.Database.BeginTransactionAsync();
                    await db.SaveChangesAsync();
                    await tx.FinishAsync();
                }
            }
            """)
        .Silent("a context that is disposed of in another way",
            """
            await using var own = await factory.CreateDbContextAsync(ct);
            var second = await factory.CreateDbContextAsync(ct);
            await using (second.ConfigureAwait(false))
            {
                var tx = await second.Database.BeginTransactionAsync(ct);
                await second.SaveChangesAsync(ct);
                await tx.CommitAsync(ct);
            }

            var third = await factory.CreateDbContextAsync(ct);
            try
            {
                var tx = await third.Database.BeginTransactionAsync(ct);
                await third.SaveChangesAsync(ct);
                await tx.CommitAsync(ct);
            }
            finally
            {
                await third.DisposeAsync();
            }
            """)
        .Silent("a transaction that another type ends through the context",
            """
            public sealed class BeforeEach(AppDb db)
            {
                public Task RunAsync() => BeginAsync();

                private async Task BeginAsync() => await db.Database.BeginTransactionAsync();
            }

            public sealed class AfterEach(AppDb db)
            {
                public Task RunAsync() => db.Database.CommitTransactionAsync();
            }
            """)
        .Fires("a commit elsewhere, of what is begun there",
            """
            public sealed class Example(AppDb db)
            {
                public async Task Forget()
                {
                    await {|EFP0010:db.Database.BeginTransactionAsync()|};
                    await db.SaveChangesAsync();
                }

                public async Task Write()
                {
                    await using (await {|EFP0010:db.Database.BeginTransactionAsync()|})
                    {
                        await db.SaveChangesAsync();
                    }
                }

                public async Task Whole()
                {
                    await using var tx = await db.Database.BeginTransactionAsync();
                    await db.SaveChangesAsync();
                    await db.Database.CommitTransactionAsync();
                }
            }

            public sealed class Other(AppDb db)
            {
                public void Run() { db.Database.BeginTransaction(); db.SaveChanges(); db.Database.CommitTransaction(); }
            }
            """)
        .Silent("a context of a scope that the member disposes of",
            """
            public sealed class Own(IServiceScopeFactory scopes)
            {
                public async Task First()
                {
                    using (var scope = scopes.CreateScope())
                    {
                        var db = scope.ServiceProvider.GetRequiredService<AppDb>();
                        var tx = await db.Database.BeginTransactionAsync();
                        await db.SaveChangesAsync();
                        await tx.CommitAsync();
                    }
                }

                public async Task Second()
                {
                    await using var scope = scopes.CreateAsyncScope();
                    var db = Get(scope);
                    var tx = await db.Database.BeginTransactionAsync();
                    await db.SaveChangesAsync();
                    await tx.CommitAsync();
                }

                private static AppDb Get(IServiceScope scope) => scope.ServiceProvider.GetRequiredService<AppDb>();
            }
            """)
        .Silent("committed by others who have the context",
            """
            public interface IUnitOfWork { Task CommitAsync(CancellationToken ct); Task FinishAsync(); }

            public class Service(AppDb db) { public async Task SaveAsync() { await db.SaveChangesAsync(); await db.Database.CommitTransactionAsync(); } }

            public static class Extensions { public static Task Finish(this AppDb db) => db.Database.CommitTransactionAsync(); }

            public abstract class Base { protected abstract Task Done(); }

            public abstract class Example(AppDb db, IUnitOfWork work, IDbContextFactory<AppDb> factory) : Base
            {
                public async Task Work(CancellationToken ct)
                {
                    await using var tx = await db.Database.BeginTransactionAsync(ct);
                    await db.SaveChangesAsync(ct);
                    await work.CommitAsync(ct);
                }

                public async Task Extension(CancellationToken ct)
                {
                    await using var tx = await db.Database.BeginTransactionAsync(ct);
                    await db.SaveChangesAsync(ct);
                    await db.Finish();
                }

                public async Task Passed(CancellationToken ct)
                {
                    await using var own = await factory.CreateDbContextAsync(ct);
                    var service = new Service(own);
                    await using var tx = await own.Database.BeginTransactionAsync(ct);
                    await own.SaveChangesAsync(ct);
                    await service.SaveAsync();
                }

                public async Task Inherited(CancellationToken ct)
                {
                    await using var tx = await db.Database.BeginTransactionAsync(ct);
                    await db.SaveChangesAsync(ct);
                    await Done();
                }

                public async Task Behind(CancellationToken ct)
                {
                    await using var tx = await db.Database.BeginTransactionAsync(ct);
                    await db.SaveChangesAsync(ct);
                    await tx.GetDbTransaction().CommitAsync(ct);
                }
            }

            public class Keeper(AppDb db)
            {
                private readonly Service _service = new(db);

                public async Task Run()
                {
                    await using var tx = await db.Database.BeginTransactionAsync();
                    await db.SaveChangesAsync();
                    await _service.SaveAsync();
                }
            }
            """)
        .Silent("ended by a local function in finally",
            """
            var tx = await db.Database.BeginTransactionAsync(ct);
            try
            {
                await tx.CommitAsync(ct);
            }
            finally
            {
                await Cleanup();
            }

            ValueTask Cleanup() => tx.DisposeAsync();
            """)
        .Fires("queries of the project's own, and the end of another transaction, end nothing",
            """
            public static class Extensions { public static IQueryable<Order> Recent(this AppDb db) => db.Orders.Where(order => order.Id > 3); }

            public class Example(AppDb db, DbConnection conn)
            {
                public async Task Run(CancellationToken ct)
                {
                    await using var tx = await {|EFP0010:db.Database.BeginTransactionAsync(ct)|};
                    await db.Recent().LoadAsync(ct);
                    await db.SaveChangesAsync(ct);
                    await using var other = await conn.BeginTransactionAsync(ct);
                    await other.CommitAsync(ct);
                }
            }
            """)
        .Fires("a text about commits commits nothing",
            """
            await using var tx = await {|EFP0010:db.Database.BeginTransactionAsync(ct)|};
            await db.SaveChangesAsync(ct);
            Console.WriteLine("Order committed");
            """)
        .Silent("a text that commits",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            await db.SaveChangesAsync(ct);
            await db.Database.ExecuteSqlRawAsync("SELECT 1; COMMIT", ct);
            """)
        .Silent("using and commit",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            await db.SaveChangesAsync(ct);
            if (id > 3)
            {
                await tx.CommitAsync(ct);
            }
            """)
        .Silent("disposed of in finally, or rolled back in catch",
            """
            var tx = await db.Database.BeginTransactionAsync(ct);
            try
            {
                await tx.CommitAsync(ct);
            }
            finally
            {
                await tx.DisposeAsync();
            }

            var second = conn.BeginTransaction();
            try
            {
                second.Commit();
            }
            catch
            {
                second?.Rollback();
                throw;
            }

            var third = npgsql.BeginTransaction();
            using (third)
            {
                third.Commit();
            }
            """)
        .Silent("disposed of through ConfigureAwait, and one that may exist already",
            """
            var tx = await db.Database.BeginTransactionAsync(ct);
            await using (tx.ConfigureAwait(false))
            {
                await tx.CommitAsync(ct);
            }

            var second = await npgsql.BeginTransactionAsync(ct);
            await using var disposal = second.ConfigureAwait(false);
            await second.CommitAsync(ct);
            var third = id > 3 ? await npgsql.BeginTransactionAsync(ct) : null;
            third?.Commit();
            """)
        .Silent("somebody else gets it",
            """
            private IDbContextTransaction? _current;

            public Task<IDbContextTransaction> BeginAsync() => db.Database.BeginTransactionAsync();

            public async Task<IDbContextTransaction> BeginToo() { var tx = await db.Database.BeginTransactionAsync(); return tx; }

            public async Task Keep() { _current = await db.Database.BeginTransactionAsync(); var tx = await db.Database.BeginTransactionAsync(); _current = tx; }

            public async Task Pass() { var tx = await db.Database.BeginTransactionAsync(); await Finish(tx); }

            public async Task PassUsing() { await using var tx = await db.Database.BeginTransactionAsync(); await db.SaveChangesAsync(); await Finish(tx); }

            private static Task Finish(IDbContextTransaction tx) => tx.CommitAsync();
            """)
        .Silent("the facade ends it, in another method",
            """
            public async Task BeginAsync() => await db.Database.BeginTransactionAsync();

            public async Task SaveAsync() { await db.SaveChangesAsync(); await db.Database.CommitTransactionAsync(); }

            public async Task Both() { await using var tx = await db.Database.BeginTransactionAsync(); await SaveAsync(); await db.SaveChangesAsync(); }
            """)
        .Silent("the caller's context, and the context's own method",
            """
            public static class Extensions
            {
                public static async Task Start(this AppDb db) => await db.Database.BeginTransactionAsync();
            }

            public class OwnDb : DbContext
            {
                public async Task Start() => await Database.BeginTransactionAsync();
            }
            """)
        .Silent("reads that roll back",
            """
            await using var tx = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
            await db.Database.ExecuteSqlAsync($"SELECT set_config('app.tenant', {text}, true)", ct);
            var a = await db.Orders.CountAsync(ct);
            using var second = conn.BeginTransaction();
            conn.Execute("SET LOCAL work_mem = '64MB'", transaction: second);
            conn.Query("SELECT 1", transaction: second);
            """)
        .Silent("a rollback on purpose, and to a savepoint with a commit",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            await db.SaveChangesAsync(ct);
            await tx.RollbackAsync(ct);
            await using var second = await db.Database.BeginTransactionAsync(ct);
            await db.SaveChangesAsync(ct);
            await second.RollbackToSavepointAsync("a", ct);
            await second.CommitAsync(ct);
            """)
        .Silent("a connection that is disposed of with it",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            var tx = await own.BeginTransactionAsync(ct);
            await own.ExecuteAsync("SELECT 1", transaction: tx);
            await tx.CommitAsync(ct);
            """)
        .Silent("a test that rolls back what it writes",
            """
            public class OrderTests(AppDb db)
            {
                [Xunit.Fact]
                public async Task Order_IsSaved() { await using var tx = await db.Database.BeginTransactionAsync(); await db.SaveChangesAsync(); }
            }

            namespace Xunit
            {
                public sealed class FactAttribute : Attribute;
            }
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
