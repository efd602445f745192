using EfPooling.Core;

namespace EfPooling.AdoNet.Tests.Safety;

/// <summary>What is known of the database is believed only as long as the database is what it was.</summary>
public sealed class CatalogFreshnessTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Quiet = "CREATE OR REPLACE FUNCTION f() RETURNS int STABLE LANGUAGE sql AS $$ SELECT 1 $$";
    private const string Loud = "CREATE OR REPLACE FUNCTION f() RETURNS int STABLE LANGUAGE sql AS $$ SELECT length(set_config('app.x', 'leak', false)) $$";
    private const string Leaked = "SELECT coalesce(current_setting('app.x', true), '')";

    private readonly ManualTimeProvider _time = new();

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE item (id int); CREATE TABLE other (id int); " + Quiet);
    }

    [Fact]
    public async Task FirstRunOfAText_LooksAtTheDatabase_AndResetsNothing()
    {
        var (pool, log) = Create();
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT f() FROM item WHERE id = 1");
        await connection.RunAsync("SELECT f() FROM item WHERE id = 2"); // Of the same shape: judged already.
        await connection.RunAsync("INSERT INTO item VALUES (1)");
        Assert.DoesNotContain(log.Texts, CapturedLog.IsReset);
        Assert.Equal(2, Checks(log));
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task DefinitionThatChangedElsewhere_IsNoticedWithinTheInterval_AndSessionsThatWereInDoubtAreReset()
    {
        var (pool, _) = Create(maxPoolSize: 2);
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT f()");
        await PrepareDatabaseAsync(Loud);
        await connection.RunAsync("SELECT f()"); // Believed still.

        _time.Advance(TimeSpan.FromSeconds(1));
        await connection.RunAsync("SELECT 1"); // Its lease looks when it ends.
        Assert.Equal("", await connection.AskAsync<string>(Leaked));
        await connection.RunAsync("SELECT f()");
        Assert.Equal("", await connection.AskAsync<string>(Leaked));
    }

    [Fact]
    public async Task IntervalOfZero_BelievesNothingBeyondALease()
    {
        var (pool, _) = Create(configure: options => options.SchemaCheckInterval = TimeSpan.Zero);
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT f()");
        await PrepareDatabaseAsync(Loud);
        await connection.RunAsync("SELECT f()");
        Assert.Equal("", await connection.AskAsync<string>(Leaked));
    }

    [Fact]
    public async Task DefinitionThatChangedThroughThePool_IsNoticedAtOnce()
    {
        var (pool, _) = Create();
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT f()");
        await connection.RunAsync(Loud);
        await connection.RunAsync("SELECT f()");
        Assert.Equal("", await connection.AskAsync<string>(Leaked));

        await connection.RunAsync(Quiet);
        await connection.RunAsync("SELECT f() AS again");
        Assert.True(pool.Catalog.Judge(AdoNet.Sql.SqlVerdict.Of("SELECT f() AS again")).IsPure);
    }

    [Fact]
    public async Task ServerConnections_OfBeforeAChange_AreResetBeforeTheirNextOwner()
    {
        var (pool, _) = Create(maxPoolSize: 2);
        await using var first = await pool.OpenConnectionAsync();
        await using var second = await pool.OpenConnectionAsync();
        await using (await first.BeginTransactionAsync())
        {
            await first.RunAsync("SELECT 1");
            await second.RunAsync("SELECT f()"); // On the other server connection.
            await PrepareDatabaseAsync(Loud);
            await second.RunAsync("SELECT f()"); // It leaks there.
        }

        await first.RunAsync("CREATE TABLE IF NOT EXISTS noticed (id int)");
        foreach (var connection in new[] { first, second })
        {
            await using (await connection.BeginTransactionAsync())
            {
                Assert.Equal("", await connection.AskAsync<string>(Leaked));
                await second.RunAsync("SELECT 2");
            }
        }
    }

    [Theory]
    [InlineData("TEMP ", false)]
    [InlineData("", true)]
    public async Task TableOfAnotherSession_CountsUnlessItIsTemporary(string kind, bool counts)
    {
        var (pool, _) = Create();
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT f()");
        var before = pool.Catalog;
        await using var other = await OpenPlainAsync();
        await other.RunAsync(
            $"""
            CREATE {kind}TABLE made (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int DEFAULT 1 CHECK (n > 0));
            CREATE {kind}TABLE child (n int) INHERITS (made);
            CREATE FUNCTION {(kind.Length > 0 ? "pg_temp." : "")}nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
            DROP FUNCTION {(kind.Length > 0 ? "pg_temp." : "")}nothing();
            """);
        _time.Advance(TimeSpan.FromSeconds(1));
        await connection.RunAsync("SELECT f()"); // Its lease looks when it ends.
        await connection.RunAsync("SELECT f()");
        Assert.Equal(counts, !ReferenceEquals(before, pool.Catalog));
    }

    [Fact]
    public async Task TableLockedByAMigration_StopsNoOpen()
    {
        await using var migration = await OpenPlainAsync();
        await using var transaction = await migration.BeginTransactionAsync();
        await migration.RunAsync("ALTER TABLE item ADD COLUMN added int; CREATE VIEW v AS SELECT * FROM item");
        var (pool, _) = Create();
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT * FROM other");
        Assert.True(pool.Catalog.IsKnown);
    }

    [Fact]
    public async Task CatalogThatCannotBeRead_LeavesEverythingSuspect_AndIsReadLater()
    {
        await using var admin = await OpenPlainAsync();
        await using (var transaction = await admin.BeginTransactionAsync())
        {
            await admin.RunAsync("LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE");
            var (pool, log) = Create();
            await using var connection = await pool.OpenConnectionAsync();
            await connection.RunAsync("SELECT 1");
            Assert.False(pool.Catalog.IsKnown);
            Assert.Equal(1, log.Commands.Count(CapturedLog.IsReset));
            await transaction.RollbackAsync();

            _time.Advance(TimeSpan.FromSeconds(30));
            await connection.RunAsync("SELECT 1");
            Assert.True(pool.Catalog.IsKnown);
            await connection.RunAsync("SELECT 1");
            Assert.Equal(2, log.Commands.Count(CapturedLog.IsReset));
        }
    }

    [Theory, InlineData("f", ""), InlineData("public.f", ""), InlineData("", "public")]
    public async Task TrustedFunction_NeedsNoProof(string function, string schema)
    {
        await PrepareDatabaseAsync(Loud);
        var (pool, log) = Create(configure: options =>
        {
            options.TrustedFunctions = function.Length > 0 ? [function] : [];
            options.TrustedSchemas = schema.Length > 0 ? [schema] : [];
        });
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT f()");
        Assert.DoesNotContain(log.Commands, CapturedLog.IsReset);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task TrustThatIsMistaken_IsFoundByVerifyingSessions(bool isAsynchronous)
    {
        await PrepareDatabaseAsync(Loud);
        var (pool, _) = Create(configure: options => (options.TrustedFunctions, options.VerifySessions) = (["f"], true));
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT 1");
        var error = isAsynchronous
            ? await Assert.ThrowsAsync<SessionChangedException>(() => connection.RunAsync("SELECT f()"))
            : Assert.Throws<SessionChangedException>(() => connection.Run("SELECT f()"));
        Assert.Equal(["SELECT f()"], error.Statements);
        Assert.Equal("setting app.x: leak (was none)", Assert.Single(error.Differences));
        Assert.Equal("", await connection.AskAsync<string>(Leaked));
        Assert.Equal(1L, pool.GetSnapshot().Retired[RetireReason.ResetFailed]);
    }

    private static int Checks(CapturedLog log) => log.Texts.Count(text => text.StartsWith("Command execution completed", StringComparison.Ordinal) && text.Contains("): WITH temporary", StringComparison.Ordinal));

    private (TransactionPoolingDataSource Pool, CapturedLog Log) Create(int maxPoolSize = 1, Action<TransactionPoolingOptions>? configure = null)
    {
        var log = new CapturedLog();
        return (CreateUnshuffledPool(maxPoolSize, configure: configure, build: builder => builder.UseLoggerFactory(log).UseTimeProvider(_time)), log);
    }
}
