using Npgsql;

namespace EfPooling.AdoNet.Tests.Safety;

/// <summary>Whatever text an adversary runs, and whatever objects it has made, the next caller finds a fresh session.</summary>
public sealed class AdversaryTextTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Clean =
        """
        DROP EVENT TRIGGER IF EXISTS adversary_et; DROP CAST IF EXISTS (point AS int);
        DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS xs CASCADE;
        DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'adversary_role') THEN CREATE ROLE adversary_role; END IF; END $$;
        """;

    public static TheoryData<string> Names => [.. AdversaryTexts.All.Select(text => text.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Session_AfterATextOfAnAdversary_IsFresh(string name)
    {
        var attack = AdversaryTexts.All.Single(text => text.Name == name);
        await PrepareDatabaseAsync(Clean);
        string question, fresh;
        await using (var plain = await OpenPlainAsync())
        {
            await RunWholeAsync(plain, attack.Setup);
            question = await SessionState.LearnAsync(plain);
        }

        await using (var plain = await OpenPlainAsync())
        {
            fresh = await plain.AskAsync<string>(question);
        }

        var pool = CreateUnshuffledPool(maxPoolSize: 1);
        await using (var adversary = await pool.OpenConnectionAsync())
        {
            await adversary.RunAsync("SELECT 1");
            if (attack.After is { } after)
            {
                await using var plain = await OpenPlainAsync();
                await RunWholeAsync(plain, after);
            }

            await RunAsync(adversary, attack);
        }

        await using var next = await pool.OpenConnectionAsync();
        Assert.Equal(fresh, await next.AskAsync<string>(question));
        for (var i = 0; i < (attack.Retries ? 8 : 0); i++)
        {
            await next.RunAsync("SELECT 1");
        }
    }

    [Fact]
    public async Task LastValueOfASequence_IsThatOfTheCallersOwnTransaction()
    {
        await PrepareDatabaseAsync(Clean + "CREATE SEQUENCE sq; CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY, a int);");
        var pool = CreateUnshuffledPool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT nextval('sq')");
        await using (await connection.BeginTransactionAsync())
        {
            Assert.Equal("55000", (await Assert.ThrowsAsync<PostgresException>(() => connection.AskAsync<long>("SELECT lastval()"))).SqlState);
        }

        await using (await connection.BeginTransactionAsync())
        {
            await connection.RunAsync("INSERT INTO numbered (a) VALUES (1)");
            Assert.Equal(1L, await connection.AskAsync<long>("SELECT lastval()"));
        }

        await using (await connection.BeginTransactionAsync())
        {
            Assert.Equal("55000", (await Assert.ThrowsAsync<PostgresException>(() => connection.AskAsync<long>("SELECT lastval()"))).SqlState);
        }
    }

    private static async Task RunAsync(LogicalConnection adversary, AdversaryText attack)
    {
        var transaction = attack.InTransaction ? await adversary.BeginTransactionAsync() : null;
        foreach (var text in attack.Texts)
        {
            // Refused by us or by the server, or carried out: the next caller must not notice either way.
            await Record.ExceptionAsync(async () =>
            {
                await using var command = adversary.CreateCommand();
                command.CommandText = text;
                command.CommandType = attack.Type;
                await using var reader = await command.ExecuteReaderAsync();
                do
                {
                    while (await reader.ReadAsync())
                    {
                    }
                }
                while (await reader.NextResultAsync());
            });
        }

        if (transaction is not null)
        {
            await Record.ExceptionAsync(() => transaction.CommitAsync());
            await transaction.DisposeAsync();
        }
    }

    // Npgsql cuts BEGIN ATOMIC … END at its semicolons, and takes @ for a parameter.
    private static Task RunWholeAsync(NpgsqlConnection connection, string script)
        => script.Length == 0 ? Task.CompletedTask : connection.RunAsync($"DO $adversary_body$ BEGIN EXECUTE $adversary_text${script}$adversary_text$; END $adversary_body$");
}
