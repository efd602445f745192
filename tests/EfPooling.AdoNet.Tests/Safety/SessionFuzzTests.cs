using System.Globalization;
using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet.Tests.Safety;

/// <summary>Texts at random: after each of them the next caller finds a fresh session. EFPOOLING_FUZZ_TEXTS says how many, EFPOOLING_SEED repeats a run.</summary>
public sealed class SessionFuzzTests(ServerFixture fixture, ITestOutputHelper output) : PoolTest(fixture)
{
    private static readonly int Texts = int.Parse(Environment.GetEnvironmentVariable("EFPOOLING_FUZZ_TEXTS") ?? "2000", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Session_AfterATextAtRandom_IsFresh()
    {
        var seed = Environment.GetEnvironmentVariable("EFPOOLING_SEED") is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next(1_000_000);
        output.WriteLine($"EFPOOLING_SEED={seed}");
        var random = new Random(seed);
        var grammar = new HostileGrammar(random);
        string question, fresh;
        await using (var plain = await OpenPlainAsync())
        {
            foreach (var statement in HostileGrammar.Schema.Split(";\n"))
            {
                await plain.RunAsync(statement);
            }

            question = await SessionState.LearnAsync(plain);
        }

        await using (var plain = await OpenPlainAsync())
        {
            fresh = await plain.AskAsync<string>(question);
        }

        var pool = CreateUnshuffledPool(maxPoolSize: 1, keywords: "Command Timeout=20");
        var (ran, refused, failed, clean, pure, leaks) = (0, 0, 0, 0, 0, new List<string>());
        for (var i = 0; i < Texts && leaks.Count < 20; i++)
        {
            var text = grammar.Statement();
            var isInTransaction = random.Next(8) == 0;
            var judgement = pool.Catalog.Judge(SqlVerdict.Of(text));
            clean += judgement.IsClean && SqlVerdict.Of(text).Effects == SessionEffects.None ? 1 : 0;
            pure += judgement.IsPure ? 1 : 0;
            await using (var adversary = await pool.OpenConnectionAsync())
            {
                try
                {
                    await RunAsync(adversary, text, isInTransaction, mayCommit: random.Next(2) == 0);
                    ran++;
                }
                catch (SessionStateException)
                {
                    refused++;
                }
                catch (NpgsqlException)
                {
                    failed++;
                }
            }

            await using var next = await pool.OpenConnectionAsync();
            var seen = await next.AskAsync<string>(question);
            if (seen != fresh)
            {
                leaks.Add($"{(isInTransaction ? "in a transaction: " : "")}{text}\n=> {string.Join("; ", seen.Split(';', '\n').Except(fresh.Split(';', '\n')))}");
                pool.Clear();
            }
        }

        output.WriteLine($"{Texts} texts: {ran} ran, {failed} failed, {refused} were refused; {clean} judged clean, {pure} of them pure; {pool.GetSnapshot().Opened} server connections");
        Assert.True(leaks.Count == 0, $"Seed {seed}:\n{string.Join("\n", leaks)}");
        Assert.InRange(ran, Texts / 10, Texts);
    }

    private static async Task RunAsync(LogicalConnection connection, string text, bool isInTransaction, bool mayCommit)
    {
        await using var transaction = isInTransaction ? await connection.BeginTransactionAsync() : null;
        await using var command = connection.CreateCommand();
        command.CommandText = text;
        await using (var reader = await command.ExecuteReaderAsync())
        {
            do
            {
                while (await reader.ReadAsync())
                {
                }
            }
            while (await reader.NextResultAsync());
        }

        if (mayCommit && transaction is not null)
        {
            await transaction.CommitAsync();
        }
    }
}
