using System.Data.Common;
using EfPooling.AdoNet;

namespace EfPooling.Interleavings.Tests;

/// <summary>
/// A refused operation changes nothing, and the one that it met goes on undisturbed: what the connection, its transaction, its reader, its settings and the
/// pool are afterwards is what those operations made of them that ran.
/// </summary>
/// <remarks>Seen to fail with a refusal that enters the gate from the running operation.</remarks>
public sealed class RefusalTests(ExplorationFixture fixture, ITestOutputHelper output) : ExplorationTest(fixture, output)
{
    public static TheoryData<string> Seconds => ["statement", "asynchronous statement", "begin", "session", "schema", "setting"];

    [Theory]
    [MemberData(nameof(Seconds))]
    public void SecondOperation_ThatIsRefused_LeavesOnlyWhatTheFirstLeaves(string second)
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Throw);
        Explore(
            pool,
            world =>
            {
                var (first, ran) = (false, false);
                world.Also = () =>
                {
                    Assert.True(first || ran, "Both were refused.");
                    var leases = (first ? 1 : 0) + (ran && second != "begin" ? 1 : 0);
                    Assert.InRange(world.LeasesGranted, second == "session" ? 1 : leases, leases); // What runs in a leased session takes none.
                    Assert.Equal((first ? 0 : 1) + (ran ? 0 : 1), world.Refused);
                    Assert.Equal(ran && second == "setting" ? ["app.note"] : [], world.Connection.Settings?.FollowedNames ?? []);
                };
                return world.NewScenario()
                    .Flow("first", () => first = world.Statement())
                    .Flow("second", () => ran = second.EndsWith("statement", StringComparison.Ordinal) ? Statement(world, second) : world.Try(() => Act(world.Connection, second)));
            },
            seesPlainAccesses: second.EndsWith("statement", StringComparison.Ordinal) || second == "begin");
    }

    [Theory]
    [InlineData("commit")]
    [InlineData("rollback")]
    [InlineData("savepoint")]
    [InlineData("statement")]
    [InlineData("begin")]
    public void SecondOperation_ThatIsRefusedInATransaction_LeavesItAsItWas(string second)
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Throw);
        Explore(pool, world =>
        {
            var transaction = world.Connection.BeginTransaction();
            var (first, ran) = (false, false);
            world.Also = () => Assert.True(first || ran, "Both were refused.");
            return world.NewScenario()
                .Flow("first", () => first = world.Statement())
                .Flow("second", () =>
                {
                    ran = second switch
                    {
                        "commit" => world.Try(transaction.Commit),
                        "rollback" => world.Try(transaction.Rollback),
                        "savepoint" => world.Try(() => transaction.Save("here")),
                        "statement" => world.Statement(),
                        _ => world.Try(() => BeginAnother(world.Connection)),
                    };
                    var ends = second is "commit" or "rollback";
                    Assert.Same(ran && ends ? null : transaction.Inner, world.Connection.CurrentTransaction);
                })
                .AtLast(() =>
                {
                    if (world.Connection.CurrentTransaction is not null)
                    {
                        Assert.Equal(world.Ran > 0 || (ran && second == "savepoint") ? 1 : 0, pool.GetSnapshot().InUse);
                        transaction.Commit(); // It is as good as ever.
                    }

                    world.VerifyFree();
                });
        });
    }

    [Theory]
    [InlineData("statement")]
    [InlineData("asynchronous statement")]
    [InlineData("begin")]
    [InlineData("session")]
    public void SecondOperation_ThatMeetsAnOpenReader_IsRefused_AndTheReaderReadsOn(string second)
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Throw);
        Explore(pool, world =>
        {
            var reader = new LogicalCommand("SELECT generate_series(1, 2)", world.Connection).ExecuteReader();
            return world.NewScenario()
                .Flow("reads", () =>
                {
                    Assert.True(reader.Read());
                    Assert.True(reader.Read());
                    Assert.Equal(2, reader.GetInt32(0));
                    Assert.False(reader.Read());
                })
                .Flow("second", () =>
                {
                    var ran = second.EndsWith("statement", StringComparison.Ordinal) ? Statement(world, second) : world.Try(() => Act(world.Connection, second));
                    Assert.False(ran);
                    Assert.Same(reader, world.Gate.Reader());
                    Assert.Equal((1, 1L), (pool.GetSnapshot().InUse, world.LeasesGranted));
                })
                .AtLast(() =>
                {
                    Assert.False(reader.IsClosed);
                    reader.Close();
                    world.VerifyFree();
                });
        });
    }

    private static void BeginAnother(LogicalConnection connection)
    {
        var error = Record.Exception(() => connection.BeginTransaction());
        if (error is ConcurrentUseException)
        {
            throw error;
        }

        Assert.IsType<InvalidOperationException>(error); // There is one already.
    }

    private static bool Statement(ConnectionWorld world, string kind) => kind == "statement" ? world.Statement() : world.StatementAsync();

    private static void Act(LogicalConnection connection, string kind)
    {
        switch (kind)
        {
            case "begin":
                connection.BeginTransaction().Dispose();
                break;
            case "session":
                connection.LeaseSessionAsync("test").AsTask().GetAwaiter().GetResult().Dispose();
                break;
            case "schema":
                connection.GetSchema(DbMetaDataCollectionNames.ReservedWords).Dispose();
                break;
            default:
                new LogicalCommand("SET app.note = 'second'", connection).ExecuteNonQuery();
                break;
        }
    }
}
