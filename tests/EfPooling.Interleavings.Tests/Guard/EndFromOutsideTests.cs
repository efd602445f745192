using EfPooling.AdoNet;

namespace EfPooling.Interleavings.Tests;

/// <summary>
/// Enter and exit balance where one flow ends what another one uses: a transaction that is disposed, a connection that is closed. Nothing is left to nobody.
/// </summary>
/// <remarks>Seen to fail without the look at an abandoned transaction, or at the close, after the gate is exited, and with a field that Close reads twice.</remarks>
public sealed class EndFromOutsideTests(ExplorationFixture fixture, ITestOutputHelper output) : ExplorationTest(fixture, output)
{
    public static TheoryData<ConcurrentUseMode, bool> Modes
        => new() { { ConcurrentUseMode.Throw, true }, { ConcurrentUseMode.Throw, false }, { ConcurrentUseMode.Serialize, true } };

    [Theory]
    [MemberData(nameof(Modes))]
    public void TransactionThatIsDisposedWhileStatementsRun_IsRolledBackByTheLastOfThem(ConcurrentUseMode mode, bool asynchronous)
    {
        using var pool = Fixture.CreatePool(mode);
        Explore(
            pool,
            world =>
            {
                var transaction = world.Connection.BeginTransaction();
                return world.NewScenario()
                    .Flow("statement", () => world.TryLate(() => world.StatementAsync()))
                    .Flow("dispose", () => Dispose(transaction, asynchronous));
            },
            seesPlainAccesses: true);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void TransactionThatIsCommittedAndDisposedWhileStatementsRun_Ends(ConcurrentUseMode mode, bool asynchronous)
    {
        using var pool = Fixture.CreatePool(mode);
        Explore(pool, world =>
        {
            var transaction = world.Connection.BeginTransaction();
            return world.NewScenario()
                .Flow("statement", () => world.TryLate(() => world.StatementAsync()))
                .Flow("other", () => world.TryLate(() => world.Statement()))
                .Flow("commit", () =>
                {
                    world.TryLate(() => transaction.CommitAsync().GetAwaiter().GetResult());
                    Dispose(transaction, asynchronous);
                });
        });
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void ConnectionThatIsClosedWhileStatementsRun_LeavesNothingLeased(ConcurrentUseMode mode, bool asynchronous)
    {
        using var pool = Fixture.CreatePool(mode);
        Explore(pool, world => world.NewScenario()
            .Flow("statement", () => world.TryLate(() => world.StatementAsync()))
            .Flow("other", () => world.TryLate(() => world.Statement()))
            .Flow("close", () => Close(world.Connection, asynchronous)));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void ConnectionThatIsClosedWhileATransactionBeginsOrRuns_LeavesNothingLeased(ConcurrentUseMode mode, bool asynchronous)
    {
        using var pool = Fixture.CreatePool(mode);
        Explore(
            pool,
            world => world.NewScenario()
                .Flow("transaction", () => world.TryLate(() =>
                {
                    using var transaction = world.Connection.BeginTransactionAsync().AsTask().GetAwaiter().GetResult();
                    world.StatementAsync();
                    transaction.Commit();
                }))
                .Flow("close", () => Close(world.Connection, asynchronous)),
            seesPlainAccesses: true);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void ConnectionThatIsClosedWhileAReaderIsOpenedAndRead_LeavesNothingLeased(ConcurrentUseMode mode, bool asynchronous)
    {
        using var pool = Fixture.CreatePool(mode);
        Explore(
            pool,
            world => world.NewScenario()
                .Flow("reader", () => world.TryLate(() =>
                {
                    using var reader = new LogicalCommand("SELECT 1 UNION ALL SELECT 2", world.Connection).ExecuteReaderAsync().GetAwaiter().GetResult();
                    reader.Read();
                }))
                .Flow("close", () => Close(world.Connection, asynchronous)),
            seesPlainAccesses: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ConnectionThatIsClosedInSessionMode_WhileStatementsRun_LeavesNoSession(bool asynchronous)
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Throw, configure: options => options.PoolMode = PoolMode.Session);
        Explore(
            pool,
            world => world.NewScenario()
                .Flow("statement", () => world.TryLate(() => _ = asynchronous ? world.StatementAsync() : world.Statement()))
                .Flow("close", () => Close(world.Connection, asynchronous)),
            seesPlainAccesses: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ConnectionThatIsClosed_WhileAStatementPinsIt_LeavesNoSession(bool asynchronous)
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Throw, configure: options => options.SessionState = SessionStatePolicy.Pin);
        Explore(
            pool,
            world => world.NewScenario()
                .Flow("statement", () => world.TryLate(() => world.Statement("SELECT pg_advisory_lock(1)")))
                .Flow("close", () => Close(world.Connection, asynchronous)),
            seesPlainAccesses: true);
    }

    private static void Dispose(LogicalTransaction transaction, bool asynchronous)
    {
        if (asynchronous)
        {
            transaction.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
        else
        {
            transaction.Dispose();
        }
    }

    private static void Close(LogicalConnection connection, bool asynchronous)
    {
        if (asynchronous)
        {
            connection.CloseAsync().GetAwaiter().GetResult();
        }
        else
        {
            connection.Close();
        }
    }
}
