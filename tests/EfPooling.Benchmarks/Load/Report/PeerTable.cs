using System.Globalization;

namespace EfPooling.Benchmarks.Load.Report;

/// <summary>The table that most scenarios have.</summary>
internal static class PeerTable
{
    /// <param name="caseColumn">What <see cref="PeerResult.Case"/> is.</param>
    /// <param name="results">A row for each.</param>
    public static ResultTable Create(string caseColumn, IEnumerable<PeerResult> results) => new(
        [caseColumn, "peer", "operations/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "server connections", "client CPU µs/op", "allocated B/op", "errors"],
        2,
        [.. results.Select(result => new[]
        {
            result.Case,
            result.Peer,
            Number(result.OperationsPerSecond, 0),
            Milliseconds(result.P50),
            Milliseconds(result.P95),
            Milliseconds(result.P99),
            Milliseconds(result.Max),
            Number(result.ServerConnections, 0),
            Number(result.CpuPerOperation, 1),
            Number(result.BytesPerOperation, 0),
            Number(result.Errors, 0),
        })]);

    /// <summary>A number with a comma between thousands.</summary>
    public static string Number(double value, int digits) => value.ToString("N" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>A sentence for each kind of error of each peer.</summary>
    public static IEnumerable<string> DescribeErrors(IEnumerable<PeerResult> results)
        => from result in results
           from kind in result.ErrorKinds.Take(3)
           select $"{result.Case}, {result.Peer}: {kind}";

    private static string Milliseconds(double microseconds) => Number(microseconds / 1_000, 2);
}
