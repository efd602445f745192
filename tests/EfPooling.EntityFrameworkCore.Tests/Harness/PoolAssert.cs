using EfPooling.AdoNet;
using EfPooling.Testing;

namespace EfPooling.EntityFrameworkCore.Tests.Harness;

internal static class PoolAssert
{
    /// <summary>Everything came back: nobody holds a server connection, nobody waits, and the next caller is served.</summary>
    public static void NothingLeased(TransactionPoolingDataSource pool)
    {
        pool.WaitForBatches();
        var snapshot = pool.GetSnapshot();
        Assert.Equal(0, snapshot.InUse);
        Assert.Equal(0, snapshot.Waiting);
        using var connection = pool.OpenConnection();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT 1";
        Assert.Equal(1, command.ExecuteScalar());
    }

    public static void NothingLeased(DbContext context) => NothingLeased(context.Database.GetTransactionPool());
}
