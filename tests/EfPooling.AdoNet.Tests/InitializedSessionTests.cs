using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What a physical connection initializer makes of a session is part of it, whatever callers do to it and however it is reset.</summary>
public sealed class InitializedSessionTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Initializer = "SET work_mem = '77MB'; SET search_path = app, public; SELECT set_config('app.region', 'north', false)";
    private const string Question = "SELECT concat_ws(' ', current_setting('work_mem'), current_setting('search_path'), current_setting('app.region'), current_setting('statement_timeout'))";
    private const string Initialized = "77MB app, public north 1234s";

    [Theory]
    [InlineData("SELECT 1")]
    [InlineData("SET work_mem = '5MB'; SET search_path = public; SET app.region = 'south'")]
    [InlineData("RESET work_mem; RESET search_path; RESET app.region")]
    [InlineData("SET statement_timeout = '7s'")]
    [InlineData("RESET ALL")]
    [InlineData("SELECT set_config('work_mem', '6MB', false), set_config('app.region', 'east', false)")]
    [InlineData("DO $$ BEGIN PERFORM set_config('work_mem', '8MB', false), set_config('app.region', 'west', false); END $$")]
    public async Task Initializer_CountsForTheNextCaller_WhateverTheLastOneDid(string text)
    {
        var runs = 0;
        var pool = CreatePool(maxPoolSize: 1, keywords: "Options=-c statement_timeout=1234s", build: builder => builder.ConfigureNpgsql(npgsql => npgsql.UsePhysicalConnectionInitializer(
            connection => Run(connection.Run(Initializer)),
            async connection => Run(await connection.RunAsync(Initializer)))));

        await using (var first = await pool.OpenConnectionAsync())
        {
            Assert.Equal(Initialized, await first.AskAsync<string>(Question));
            await first.RunAsync(text);
        }

        await using (var next = await pool.OpenConnectionAsync())
        {
            Assert.Equal(Initialized, await next.AskAsync<string>(Question));
        }

        using (var first = pool.OpenConnection())
        {
            first.Run(text);
        }

        using (var next = pool.OpenConnection())
        {
            Assert.Equal(Initialized, next.Ask<string>(Question));
        }

        Assert.True(runs > 0);
        void Run(int _) => runs++;
    }

    [Fact]
    public async Task WhatACallerSets_StillFollowsIt()
    {
        var pool = CreatePool(maxPoolSize: 1, build: builder => builder.ConfigureNpgsql(npgsql => npgsql.UsePhysicalConnectionInitializer(
            connection => connection.Run(Initializer), connection => connection.RunAsync(Initializer))));
        await using var mine = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await mine.RunAsync("SET work_mem = '9MB'");

        Assert.Equal("77MB", await other.AskAsync<string>("SHOW work_mem"));
        Assert.Equal("9MB", await mine.AskAsync<string>("SHOW work_mem"));
        Assert.Equal("77MB", other.Ask<string>("SHOW work_mem"));
        Assert.Equal("9MB", mine.Ask<string>("SHOW work_mem"));
    }

    [Fact]
    public async Task ConnectionKeptByAnInitializer_IsDead_AlsoAfterAReset()
    {
        NpgsqlConnection? kept = null;
        var pool = CreatePool(maxPoolSize: 1, build: builder => builder.ConfigureNpgsql(npgsql => npgsql.UsePhysicalConnectionInitializer(
            connection => kept = connection,
            connection =>
            {
                kept = connection;
                return Task.CompletedTask;
            })));
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("DO $$ BEGIN END $$");

        Assert.Throws<ObjectDisposedException>(() => kept!.Run("SELECT 1"));
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task InitializerThatFailsAfterAReset_ClosesTheServerConnection()
    {
        var runs = 0;
        var pool = CreateUnshuffledPool(maxPoolSize: 1, build: builder => builder.ConfigureNpgsql(npgsql => npgsql.UsePhysicalConnectionInitializer(
            _ => Fail(), _ => Task.Run(Fail))));
        await using var connection = await pool.OpenConnectionAsync();
        var first = await connection.AskAsync<int>(Sql.BackendId);
        await connection.RunAsync("DO $$ BEGIN PERFORM set_config('work_mem', '8MB', false); END $$");

        Assert.NotEqual(first, await connection.AskAsync<int>(Sql.BackendId));
        Assert.Equal(1, pool.GetSnapshot().Retired[Core.RetireReason.ResetFailed]);

        void Fail()
        {
            if (++runs == 2)
            {
                throw new FormatException("not again");
            }
        }
    }
}
