using EfPooling.Benchmarks.Load.Data;
using Microsoft.EntityFrameworkCore;

namespace EfPooling.Benchmarks.Load.Apis;

/// <summary>EF Core with pooled contexts and compiled queries, which are compiled once for each peer.</summary>
internal sealed class EfApi(IDbContextFactory<BenchDb> contexts) : IDataApi
{
    private readonly Func<BenchDb, int, CancellationToken, Task<Item>> _readItem =
        EF.CompileAsyncQuery((BenchDb db, int id, CancellationToken _) => db.Items.AsNoTracking().First(item => item.Id == id));

    private readonly Func<BenchDb, int, IAsyncEnumerable<Entry>> _readPage =
        EF.CompileAsyncQuery((BenchDb db, int page) => db.Entries.AsNoTracking().Where(entry => entry.Page == page).OrderBy(entry => entry.Id).Take(BenchData.PageSize));

    private readonly Func<BenchDb, int, Task<int>> _readBalance =
        EF.CompileAsyncQuery((BenchDb db, int id) => db.Accounts.Where(account => account.Id == id).Select(account => account.Balance).First());

    public async Task PrepareAsync()
    {
        await using var db = await contexts.CreateDbContextAsync();
        try
        {
            await _readItem(db, 0, new CancellationToken(canceled: true));
        }
        catch (OperationCanceledException)
        {
            // Cancelled when the connection was to be opened; the query is compiled.
        }
    }

    public async Task ReadItemAsync(int id)
    {
        await using var db = await contexts.CreateDbContextAsync();
        await ReadItemAsync(db, id);
    }

    public async Task ReadPageAsync(int page)
    {
        await using var db = await contexts.CreateDbContextAsync();
        var rows = 0;
        await foreach (var entry in _readPage(db, page))
        {
            rows += entry.Page == page ? 1 : 0;
        }

        WrongResultException.ThrowUnless(rows == BenchData.PageSize);
    }

    public async Task UpdateItemAsync(int id)
    {
        await using var db = await contexts.CreateDbContextAsync();
        var rows = await db.Items.Where(item => item.Id == id)
            .ExecuteUpdateAsync(setters => setters.SetProperty(item => item.Stock, item => item.Stock + 1));
        WrongResultException.ThrowUnless(rows == 1);
    }

    public async Task TransferAsync(Transfer transfer)
    {
        var (accountId, tellerId, branchId, delta) = transfer;
        await using var db = await contexts.CreateDbContextAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        await db.Accounts.Where(account => account.Id == accountId)
            .ExecuteUpdateAsync(setters => setters.SetProperty(account => account.Balance, account => account.Balance + delta));
        _ = await _readBalance(db, accountId);
        await db.Tellers.Where(teller => teller.Id == tellerId)
            .ExecuteUpdateAsync(setters => setters.SetProperty(teller => teller.Balance, teller => teller.Balance + delta));
        await db.Branches.Where(branch => branch.Id == branchId)
            .ExecuteUpdateAsync(setters => setters.SetProperty(branch => branch.Balance, branch => branch.Balance + delta));
        db.History.Add(new HistoryEntry { AccountId = accountId, TellerId = tellerId, BranchId = branchId, Delta = delta, Time = DateTime.UtcNow });
        await db.SaveChangesAsync();
        await transaction.CommitAsync();
    }

    public async Task HoldAsync(int firstId, int secondId, Func<Task> work)
    {
        await using var db = await contexts.CreateDbContextAsync();
        await db.Database.OpenConnectionAsync();
        await ReadItemAsync(db, firstId);
        await work();
        await ReadItemAsync(db, secondId);
    }

    private async Task ReadItemAsync(BenchDb db, int id)
        => WrongResultException.ThrowUnless((await _readItem(db, id, CancellationToken.None)).Id == id);
}
