using System.Globalization;
using System.Text;

namespace EfPooling.Core;

/// <summary>Texts of exceptions, in one place so that their wording is uniform.</summary>
internal static class PoolMessages
{
    public static string QueryWaitTimeout(TimeSpan limit, PoolSnapshot pool, IReadOnlyList<LeaseInfo> oldest, Exception? lastOpenError)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Pool '{pool.Name}': no server connection within {Seconds(limit)} ");
        text.Append(CultureInfo.InvariantCulture, $"({pool.InUse}/{pool.MaxPoolSize + pool.ReservePoolSize} in use, {pool.Idle} idle, {pool.Opening} opening, {pool.Waiting} waiting");
        text.Append(oldest.Count == 0 ? ")." : "; oldest leases: " + string.Join("; ", oldest.Select(Describe)) + ").");
        if (lastOpenError is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $" The last attempt to open a server connection failed: {lastOpenError.Message}");
        }

        text.Append(pool.IsPaused ? " The pool is paused: callers go on when it is resumed." : " Finish transactions and readers sooner, or raise MaxPoolSize or QueryWaitTimeout.");
        return text.ToString();
    }

    private static string Describe(LeaseInfo lease)
        => $"{Seconds(lease.Age)} {lease.Scope?.ToString() ?? "Lease"}{(lease.Activity is null ? "" : ": " + lease.Activity)}";

    private static string Seconds(TimeSpan time)
        => time.TotalSeconds.ToString(time.TotalSeconds < 10 ? "0.###" : "0", CultureInfo.InvariantCulture) + " s";
}
