using System.Diagnostics;
using EfPooling.AdoNet;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;

namespace EfPooling.Benchmarks.Query;

/// <summary>
/// What a statement passes through only so that nobody steps on anybody, without the statement itself: the guard's gate, the verdict on the
/// text and what the catalog adds to it, the settings that are wanted and those in force, and the question whether the session must be reset.
/// </summary>
internal static class SafetyPath
{
    private const int Passes = 1_000_000;
    private static readonly NamedOperation Operation = new(LeaseScope.Reader, "point read", OperationKind.Reader);

    /// <summary>Nanoseconds per statement, the median of several rounds.</summary>
    public static async Task<double> MeasureAsync(TransactionPoolingDataSource pool, string sql)
    {
        await using var connection = pool.CreateConnection();
        await using var command = new LogicalCommand(sql, connection);
        var scope = new ConnectionScope(pool.Execution, connection);
        var lease = await pool.Context.AcquireAsync(Operation, CancellationToken.None);
        try
        {
            var rounds = new List<double>();
            for (var round = 0; round < 11; round++)
            {
                var start = Stopwatch.GetTimestamp();
                for (var i = 0; i < Passes; i++)
                {
                    Pass(scope, connection, command, lease.Connection, sql);
                }

                rounds.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / Passes);
            }

            return rounds.Order().ElementAt(rounds.Count / 2);
        }
        finally
        {
            await lease.EndAsync();
        }
    }

    // The steps of a statement in the order in which it takes them.
    private static void Pass(ConnectionScope scope, LogicalConnection connection, LogicalCommand command, ServerConnection server, string sql)
    {
        if (!scope.Gate.TryEnter(Operation, OperationKind.Reader, connection))
        {
            throw new InvalidOperationException("Another operation holds the connection.");
        }

        var verdict = SqlVerdict.Of(sql);
        var wanted = scope.ResolveSettings();
        if (verdict.Effects != SessionEffects.None)
        {
            scope.Admit(verdict, isSide: false);
        }

        if (!server.Settings.Are(wanted))
        {
            throw new InvalidOperationException("The session has settings that nobody wanted.");
        }

        scope.Expect(verdict, command, server);
        server.OnStatementEnded();
        server.OnLeaseEnding();
        if (server.NeedsRecovery && !server.TryRecover()) // At first, and once an interval: whether the database is as the catalog says.
        {
            throw new InvalidOperationException("The session counts as changed.");
        }

        scope.Gate.Exit(Operation);
    }
}
