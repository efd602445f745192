using System.Diagnostics;
using System.Globalization;
using EfPooling.Testing;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>
/// 50 tenants, 64 callers, 5 server connections: EF Core with pooled contexts, Dapper and ADO.NET, reads and writes, in transactions and
/// not, also in ambient ones, awaiting and blocking, with functions that change the tenant past the pool, with cancellations, killed backends and errors of server and client. Not one row is read or written as
/// another tenant, by what the policies and by what the callers say; what was committed is there, what was not is not.
/// </summary>
public sealed class TenantIsolationStress(TenantDatabase database, ITestOutputHelper output) : IClassFixture<TenantDatabase>
{
    private static readonly int Operations
        = int.Parse(Environment.GetEnvironmentVariable("EFPOOLING_STRESS_OPERATIONS") ?? "200000", CultureInfo.InvariantCulture);

    private const int Callers = 64;
    private const int Blocking = 12; // of the callers

    [Fact]
    public async Task WhateverIsCancelledKilledThrownOrPooled_NoTenantSeesAnother()
    {
        var seed = Environment.GetEnvironmentVariable("EFPOOLING_SEED") is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next(1_000_000);
        output.WriteLine($"EFPOOLING_SEED={seed}");
        await PrepareAsync();
        await using var world = new StressWorld(database, Environment.GetEnvironmentVariable("EFPOOLING_KEYWORDS") ?? "");
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(number => number < Blocking
            ? Task.Factory.StartNew(() => new BlockingCaller(world, number, seed).Run(OperationsOf(number)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            : Task.Run(() => new AsynchronousCaller(world, number, seed).RunAsync(OperationsOf(number)))));
        world.Pool.WaitForBatches();
        var snapshot = world.Pool.GetSnapshot();
        output.WriteLine($"{world.Operations} operations in {Stopwatch.GetElapsedTime(start)}, {world.Kills} kills, {snapshot.Opened} server connections opened, {world.Ledger.RowsRead} rows read");
        output.WriteLine($"{world.Ledger.Writes.Count(write => write.IsCommitted == true)} notes committed, {world.Ledger.Writes.Count(write => write.IsCommitted is null)} unknown; failures: {world.Ledger.Failures}");

        Assert.True(world.Ledger.Mistakes.Count == 0, $"Seed {seed}: {string.Join("\n", world.Ledger.Mistakes)}");
        Assert.Equal(Operations, world.Operations);
        Assert.InRange(world.Kills, Operations / 4000, Operations);
        Assert.True(world.Ledger.Broken <= world.Kills, $"Seed {seed}: {world.Ledger.Broken} operations failed by {world.Kills} kills.");
        Assert.True(snapshot is { InUse: 0, Waiting: 0 }, $"Seed {seed}: {snapshot}");
        await VerifyDataAsync(world.Ledger, seed);
        Assert.True(await world.Pool.CloseAsync(TimeSpan.FromSeconds(30)));
        Assert.True(world.Pool.GetSnapshot() is { InUse: 0, Idle: 0, Waiting: 0 }, $"Seed {seed}: {world.Pool.GetSnapshot()}");
    }

    private static int OperationsOf(int caller) => (Operations / Callers) + (caller < Operations % Callers ? 1 : 0);

    // Every tenant has something to read.
    private Task<int> PrepareAsync()
        => database.RunAsync(
            $"""
            INSERT INTO note ("Tenant", "Claimed", "Text", "Edits")
                SELECT tenant, tenant, text, 0 FROM unnest(ARRAY['{string.Join("', '", StressWorld.Tenants)}']) AS tenant, unnest(ARRAY['{StressCaller.Taken}', 'a', 'b', 'c']) AS text;
            INSERT INTO line ("NoteId", "Tenant", "Claimed", "Text") SELECT "Id", "Tenant", "Claimed", 'first' FROM note;
            {HostileFunctions.Create}
            """);

    private async Task VerifyDataAsync(StressLedger ledger, int seed)
    {
        Assert.Equal(0, await database.CountStrangersAsync());
        var expected = ledger.Writes.ToDictionary(write => write.Text);
        var found = await ReadAsync();
        foreach (var (tenant, text, lines) in found)
        {
            Assert.True(expected.TryGetValue(text, out var write), $"Seed {seed}: nobody wrote {text}.");
            Assert.True(write.Tenant == tenant && write.Lines == lines && write.IsCommitted != false, $"Seed {seed}: {text} of {write.Tenant} is there as {tenant}'s with {lines} lines, committed: {write.IsCommitted}.");
        }

        var counted = found.CountBy(row => row.Tenant).ToDictionary();
        foreach (var writes in ledger.Writes.GroupBy(write => write.Tenant))
        {
            var committed = writes.Count(write => write.IsCommitted == true);
            Assert.InRange(counted.GetValueOrDefault(writes.Key), committed, committed + writes.Count(write => write.IsCommitted is null));
        }

        var there = found.Select(row => row.Text).ToHashSet();
        Assert.DoesNotContain(ledger.Writes, write => write.IsCommitted == true && !there.Contains(write.Text));
    }

    private async Task<List<(string Tenant, string Text, long Lines)>> ReadAsync()
    {
        await using var connection = new NpgsqlConnection(database.OwnersConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT \"Tenant\", \"Text\", (SELECT count(*) FROM line WHERE \"NoteId\" = note.\"Id\" AND line.\"Tenant\" = note.\"Tenant\") FROM note WHERE \"Text\" LIKE '%/%'", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<(string, string, long)>();
        while (await reader.ReadAsync())
        {
            rows.Add((reader.GetString(0), reader.GetString(1), reader.GetInt64(2)));
        }

        return rows;
    }
}
