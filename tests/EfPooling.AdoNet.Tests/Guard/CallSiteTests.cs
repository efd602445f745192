using System.Diagnostics;
using System.Reflection;
using Castle.DynamicProxy;

namespace EfPooling.AdoNet.Tests;

/// <summary>Where the call site of the operation that was running comes from.</summary>
public sealed class CallSiteTests(ServerFixture fixture) : GuardTest(fixture)
{
    [Fact]
    public async Task WithoutSampling_TheSecondConflict_NamesTheLineOfTheFirstOperation()
    {
        var pool = CreateGuardedPool(sampling: CallSiteSampling.Conflicts);
        await using var connection = await pool.OpenConnectionAsync();

        var before = await MeetAsync();
        var after = await MeetAsync();

        Assert.Matches(@"WithoutSampling_\w+ in CallSiteTests.cs:\d+ \(where the connection was made\)", before.Running.CallSite);
        Assert.Matches(@"^CallSiteTests\.WithoutSampling_\w+\.MeetAsync in CallSiteTests.cs:\d+$", after.Running.CallSite);

        async Task<ConcurrentUseException> MeetAsync()
        {
            await using var reader = await new LogicalCommand("SELECT 1", connection).ExecuteReaderAsync();
            return await Assert.ThrowsAsync<ConcurrentUseException>(() => new LogicalCommand("SELECT 2", connection).ExecuteScalarAsync());
        }
    }

    [Fact]
    public async Task WithoutSampling_TheLineOfTheCommandComesFromTheCompiler()
    {
        var pool = CreateGuardedPool(sampling: CallSiteSampling.Conflicts);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT 1";
        await using var reader = await command.ExecuteReaderAsync();

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.RunAsync("SELECT 2"));

        Assert.Matches(@"in CallSiteTests.cs:\d+ \(where the command was created\)", error.Running.CallSite);
    }

    [Fact]
    public async Task WithoutSampling_TheLineOfATransactionComesFromTheCompiler()
    {
        var pool = CreateGuardedPool(sampling: CallSiteSampling.Conflicts);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS slow; DROP FUNCTION IF EXISTS hold; CREATE TABLE slow (id int); CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER held AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()");
        await connection.RunAsync("INSERT INTO slow VALUES (1)");
        var commit = transaction.CommitAsync();
        await WaitForQueryAsync(pool, "COMMIT");

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.RunAsync("SELECT 2"));

        Assert.Equal(OperationKind.Commit, error.Running.Kind);
        Assert.Matches(@"in CallSiteTests.cs:\d+ \(where the transaction was begun\)", error.Running.CallSite);
        await gate.OpenAsync();
        await commit;
    }

    [Fact]
    public async Task TagOfAQuery_NamesItsLine_AndIsNoPartOfTheSql()
    {
        var pool = CreateGuardedPool(sampling: CallSiteSampling.Conflicts);
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync("-- a note\n-- File: /src/Orders/Checkout.cs:41\n\nSELECT 1");

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.RunAsync("SELECT 2"));

        Assert.Equal(("Checkout.cs:41", "SELECT 1"), (error.Running.CallSite, error.Running.CommandText));
    }

    [Theory]
    [InlineData("Method", "Method")]
    [InlineData("<Method>d__12", "Method")]
    [InlineData("<Method>b__3_0", "Method")]
    [InlineData("<Method>g__Local|3_0", "Method.Local")]
    [InlineData("<<Method>g__Local|3_0>d", "Method.Local")]
    [InlineData("<<Method>b__0>d", "Method")]
    [InlineData("<Main>$", "Main")]
    [InlineData("<<Main>$>d__0", "Main")]
    [InlineData("<Clone>$", "Clone")]
    public void NameThatTheCompilerMade_IsThatOfItsMethod(string name, string expected) => Assert.Equal(expected, CallSites.Unmangle(name));

    [Fact]
    public void CallSiteBehindAProxy_IsTheLineThatUsedIt()
    {
        StackTrace? within = null;
        var repository = new ProxyGenerator().CreateInterfaceProxyWithoutTarget<IRepository>(new Recording(trace => within = trace));

        repository.Load();

        Assert.Contains("AbstractInvocation", within!.ToString(), StringComparison.Ordinal);
        Assert.Matches(@"^CallSiteTests\.CallSiteBehindAProxy_\w+ in CallSiteTests.cs:\d+$", CallSites.Find(within));
    }

    [Fact]
    public void CallSiteBehindCodeThatWasMadeAtRunTime_IsTheLineThatUsedIt()
    {
        StackTrace? within = null;
        var repository = DispatchProxy.Create<IRepository, RecordingProxy>();
        ((RecordingProxy)repository).Record = trace => within = trace;

        repository.Load();

        // Its frame is there, in an assembly whose name is known to nobody.
        Assert.Contains(within!.GetFrames(), frame => frame.GetMethod()!.Module.Assembly is { IsDynamic: true });
        Assert.Matches(@"^CallSiteTests\.CallSiteBehindCode\w+ in CallSiteTests.cs:\d+$", CallSites.Find(within));
    }

    [Fact]
    public void CallSiteInANestedGenericType_IsNamedAsTheTypeIs()
        => Assert.Matches(@"^Nested`1\.Capture in CallSiteTests.cs:\d+$", CallSites.Find(Nested<int>.Capture().Single()));

    [Fact]
    public void Modes_ThatDoNotExist_AreRefused()
    {
        var error = Assert.Throws<Core.InvalidPoolOptionsException>(() => CreateGuardedPool(configure: options =>
        {
            options.ConcurrentUse = (ConcurrentUseMode)9;
            options.NestedCommands = (NestedCommandMode)9;
            options.CallSiteSampling = (CallSiteSampling)9;
        }));

        Assert.Equal(3, error.Errors.Count);
    }

    public interface IRepository
    {
        void Load();
    }

    // Stands for a library's: its own frame is left out.
    public class RecordingProxy : DispatchProxy
    {
        public Action<StackTrace>? Record { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Record!(new StackTrace(skipFrames: 1, fNeedFileInfo: true));
            return null;
        }
    }

    private sealed class Nested<T>
    {
        // In a state machine, which is nested in a generic type.
        public static IEnumerable<StackTrace> Capture()
        {
            yield return new StackTrace(fNeedFileInfo: true);
        }
    }

    // Stands for a library's, such as EF Core's of lazy loading, so its own frame is left out.
    private sealed class Recording(Action<StackTrace> record) : IInterceptor
    {
        public void Intercept(IInvocation invocation) => record(new StackTrace(skipFrames: 1, fNeedFileInfo: true));
    }
}
