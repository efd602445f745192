using System.Globalization;
using System.Text.RegularExpressions;

namespace EfPooling.Benchmarks.Load.Bouncer;

/// <summary>A version of PgBouncer.</summary>
/// <param name="Text">For people, for example <c>PgBouncer 1.18.0</c>.</param>
/// <param name="CanPrepare">From 1.21 on clients may use prepared statements of the protocol in transaction mode (<c>max_prepared_statements</c>).</param>
internal sealed partial record BouncerVersion(string Text, bool CanPrepare)
{
    /// <summary>Reads what <c>pgbouncer --version</c> prints.</summary>
    public static BouncerVersion Parse(string output)
    {
        var line = output.Split('\n')[0].Trim();
        var number = Number().Match(line);
        return new BouncerVersion(line, number.Success && new Version(Part(number, 1), Part(number, 2)) >= new Version(1, 21));
    }

    private static int Part(Match match, int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(\d+)\.(\d+)")]
    private static partial Regex Number();
}
