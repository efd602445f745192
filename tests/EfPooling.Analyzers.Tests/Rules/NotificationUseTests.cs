using EfPooling.Analyzers.Rules;

namespace EfPooling.Analyzers.Tests;

public sealed class NotificationUseTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.SessionFeature, () => new NotificationUseAnalyzer())
        .Fires(
            "waiting on the connection of a context",
            """
            if (db.Database.GetDbConnection() is NpgsqlConnection plain)
            {
                {|EFP0004:plain.Notification += (_, _) => { }|};
                {|EFP0004:plain.Wait()|};
                await {|EFP0004:plain.WaitAsync(ct)|};
            }

            await {|EFP0004:((NpgsqlConnection)db.Database.GetDbConnection()).WaitAsync(ct)|};
            """)
        .Silent("an injected connection of Npgsql's, which cannot be one of the pool's", "await npgsql.WaitAsync(ct);")
        .Silent(
            "a connection of its own",
            """
            await using var own = new NpgsqlConnection(text);
            own.Notification += (_, _) => { };
            await own.WaitAsync(ct);
            """)
        .Silent("ceasing to listen", "npgsql.Notification -= (_, _) => { };")
        .Silent("a leased session",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await using var session = await own.LeaseSessionAsync("listener", ct);
            session.Connection.Notification += (_, _) => { };
            await session.Connection.WaitAsync(ct);
            """)
        .Silent("waiting for something else", "Task.CompletedTask.Wait(ct);");

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
