using System.Transactions;

namespace EfPooling.AdoNet.Tests;

/// <summary>A connection with a leased session.</summary>
internal sealed class LeasedSession : IAsyncDisposable
{
    private CommittableTransaction? _ambient;
    private LogicalTransaction? _transaction;

    private LeasedSession(LogicalConnection connection) => Connection = connection;

    public LogicalConnection Connection { get; }

    public SessionLease Lease { get; private set; } = null!;

    public static void Configure(TransactionPoolingOptions options, LeasedIn leasedIn)
    {
        options.PoolMode = leasedIn == LeasedIn.SessionMode ? PoolMode.Session : PoolMode.Transaction;
        options.SessionState = leasedIn == LeasedIn.PinnedConnection ? SessionStatePolicy.Pin : SessionStatePolicy.Throw;
    }

    public static async Task<LeasedSession> StartAsync(TransactionPoolingDataSource pool, LeasedIn leasedIn)
    {
        var session = new LeasedSession(await pool.OpenConnectionAsync());
        switch (leasedIn)
        {
            case LeasedIn.Transaction:
                session._transaction = await session.Connection.BeginTransactionAsync();
                break;
            case LeasedIn.AmbientTransaction:
                session._ambient = new CommittableTransaction();
                session.Connection.EnlistTransaction(session._ambient);
                break;
            case LeasedIn.PinnedConnection:
                await session.Connection.RunAsync("CREATE TEMP TABLE mine (id int)");
                break;
        }

        session.Lease = await session.Connection.LeaseSessionAsync(leasedIn.ToString());
        return session;
    }

    /// <summary>Commits what there is to commit.</summary>
    public async Task CommitAsync()
    {
        await (_transaction?.CommitAsync() ?? Task.CompletedTask);
        await (_ambient is null ? Task.CompletedTask : Task.Factory.FromAsync(_ambient.BeginCommit, _ambient.EndCommit, null));
    }

    /// <summary>Ends everything, and gives the server connection back.</summary>
    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        _ambient?.Dispose();
    }
}
