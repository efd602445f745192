using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfPooling.Interleavings.Tests;

/// <summary>
/// Flows that share a context: one is inside at a time, whoever is refused has changed nothing, and a context that was returned to its pool is free for the
/// next user, while what the former one still holds is dead.
/// </summary>
/// <remarks>Seen to fail with a refusal that has counted itself in.</remarks>
public sealed class ContextTests(ExplorationFixture fixture, ITestOutputHelper output) : ExplorationTest(fixture, output)
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void FlowsThatEnterAContext_AreInsideOneAtATime_AndLeaveItFree(int flows)
    {
        var factory = CreateFactory(ConcurrentUseMode.Throw);
        Explore(
            () =>
            {
                var context = factory.CreateDbContext();
                var guard = context.GetService<IConcurrencyDetector>();
                var (inside, ran) = (0, 0);
                var scenario = new Scenario
                {
                    AtEnd = () =>
                    {
                        Assert.True(ran > 0, "All were refused.");
                        EnterAndLeave(guard);
                        context.Dispose();
                    },
                };
                foreach (var number in Enumerable.Range(0, flows))
                {
                    scenario.Flow($"flow {number}", () =>
                    {
                        TryInside();
                        if (number == 0)
                        {
                            TryInside();
                        }
                    });
                }

                return scenario;

                void TryInside()
                {
                    try
                    {
                        guard.EnterCriticalSection();
                    }
                    catch (ConcurrentUseException)
                    {
                        return;
                    }

                    ran++;
                    Assert.Equal(1, ++inside);
                    EnterAndLeave(guard); // The same flow, as lazy loading does.
                    SwitchPoint.Reach("inside");
                    inside--;
                    guard.ExitCriticalSection();
                }
            },
            seesPlainAccesses: flows == 2);
    }

    [Theory]
    [InlineData(ConcurrentUseMode.Throw)]
    [InlineData(ConcurrentUseMode.Serialize)]
    public void ContextThatTwoFlowsUsed_IsFreeForTheNextUser_AndDeadForTheFormer(ConcurrentUseMode mode)
    {
        var factory = CreateFactory(mode);
        Explore(() =>
        {
            var context = factory.CreateDbContext();
            var transaction = context.Database.BeginTransaction();
            return new Scenario
            {
                AtEnd = () =>
                {
                    context.Dispose();
                    using var next = factory.CreateDbContext();
                    Assert.Same(context, next);
                    Assert.ThrowsAny<InvalidOperationException>(transaction.Commit);
                    Assert.Null(next.Database.CurrentTransaction);
                    EnterAndLeave(next.GetService<IConcurrencyDetector>());
                    Assert.Equal(1, next.Database.SqlQuery<int>($"SELECT 1 AS \"Value\"").Single());
                    Assert.Equal(0, next.Database.GetTransactionPool().GetSnapshot().InUse);
                },
            }
            .Flow("query", () => Refusable(() => Assert.Equal(7, context.Database.SqlQuery<int>($"SELECT 7 AS \"Value\"").Single())))
            .Flow("other", () => Refusable(() => context.Database.ExecuteSqlRaw("SELECT 1")));
        });
    }

    [Theory]
    [InlineData(ConcurrentUseMode.Throw)]
    [InlineData(ConcurrentUseMode.Serialize)]
    public void ContextThatIsReturnedWhileAnotherFlowUsesIt_IsFreeOnceThatHasEnded(ConcurrentUseMode mode)
    {
        var factory = CreateFactory(mode);
        Explore(() =>
        {
            var context = factory.CreateDbContext();
            return new Scenario
            {
                AtEnd = () =>
                {
                    using var next = factory.CreateDbContext();
                    EnterAndLeave(next.GetService<IConcurrencyDetector>());
                    Assert.Equal(1, next.Database.SqlQuery<int>($"SELECT 1 AS \"Value\"").Single());
                    Assert.Equal(0, next.Database.GetTransactionPool().GetSnapshot().InUse);
                },
            }
            .Flow("uses", () => Late(() => context.Database.ExecuteSqlRaw("SELECT 1")))
            .Flow("returns", context.Dispose);
        });
    }

    [Fact]
    public void FlowsWithContextsOfTheirOwn_AreNeverRefused()
    {
        var factory = CreateFactory(ConcurrentUseMode.Throw, contexts: 2);
        Explore(() => new Scenario().Flow("first", Use).Flow("second", Use));

        void Use()
        {
            using var context = factory.CreateDbContext();
            Assert.Equal(7, context.Database.SqlQuery<int>($"SELECT 7 AS \"Value\"").Single());
        }
    }

    private static void EnterAndLeave(IConcurrencyDetector guard)
    {
        guard.EnterCriticalSection();
        guard.ExitCriticalSection();
    }

    private static void Refusable(Action act)
    {
        if (Record.Exception(act) is { } error)
        {
            Assert.IsType<ConcurrentUseException>(error);
        }
    }

    private static void Late(Action act)
    {
        if (Record.Exception(act) is { } error)
        {
            Assert.IsAssignableFrom<InvalidOperationException>(error);
        }
    }

    private PooledDbContextFactory<DbContext> CreateFactory(ConcurrentUseMode mode, int contexts = 1)
    {
        var options = new DbContextOptionsBuilder<DbContext>().UseNpgsql(Fixture.NewConnectionString()).UseTransactionPooling(pool =>
        {
            (pool.ConcurrentUse, pool.MaxPoolSize, pool.Multiplexing) = (mode, 3, MultiplexingMode.Off);
        });
        var factory = new PooledDbContextFactory<DbContext>(options.Options, contexts);
        using var first = factory.CreateDbContext();
        first.Database.ExecuteSqlRaw("SELECT 1"); // What is made once is made now.
        return factory;
    }
}
