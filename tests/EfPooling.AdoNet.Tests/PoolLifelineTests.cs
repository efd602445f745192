using System.Runtime.CompilerServices;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A pool lives as long as what it was made from, and as long as somebody uses it.</summary>
public sealed class PoolLifelineTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DataSourceThatIsDisposed_TakesItsPoolAlong(bool sourceHasAPool)
    {
        var time = new ManualTimeProvider();
        var source = NpgsqlDataSource.Create($"{ConnectionString};Pooling={sourceHasAPool};Application Name=taken along");
        var pool = Watch(new TransactionPoolingDataSourceBuilder(source).UseTimeProvider(time).Build());
        var running = await pool.OpenConnectionAsync();
        await using var transaction = await running.BeginTransactionAsync();
        await running.RunAsync("SELECT 1");
        await using (var connection = await pool.OpenConnectionAsync())
        {
            await connection.RunAsync("SELECT 1");
        }

        time.Advance(PoolLifeline.Period);
        Assert.Equal(PoolPhase.Running, pool.GetSnapshot().Phase);
        await source.DisposeAsync();
        time.Advance(PoolLifeline.Period);

        Assert.Equal(PoolPhase.Closed, pool.GetSnapshot().Phase);
        Assert.Equal(1, await running.AskAsync<int>("SELECT 1")); // What runs goes on to its end, as with Npgsql.
        await transaction.CommitAsync();
        await running.DisposeAsync();
        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PoolThatNobodyReferences_ClosesItsServerConnections(bool isOnADataSource)
    {
        await UseAndForgetAsync($"{ConnectionString};Application Name=forgotten {isOnADataSource}", isOnADataSource);
        await WaitUntilCollectedAsync($"forgotten {isOnADataSource}");
    }

    [Fact]
    public async Task PoolWhoseConnectionSomebodyHas_GoesOn()
    {
        var connection = await OpenAndForgetThePoolAsync($"{ConnectionString};Application Name=remembered");
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await connection.RunAsync("SELECT 1");
        }

        await connection.Pool!.DisposeAsync();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task UseAndForgetAsync(string connectionString, bool isOnADataSource)
    {
        var pool = isOnADataSource ? new TransactionPoolingDataSourceBuilder(NpgsqlDataSource.Create(connectionString)).Build() : TransactionPoolingDataSource.Create(connectionString);
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT 1");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<LogicalConnection> OpenAndForgetThePoolAsync(string connectionString)
        => await TransactionPoolingDataSource.Create(connectionString).OpenConnectionAsync();

    private async Task WaitUntilCollectedAsync(string applicationName)
        => await Server.WaitForActivityAsync(
            all =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return all.All(backend => backend.ApplicationName != applicationName);
            },
            Patience);
}
