using EfPooling.Dev;

namespace EfPooling.EntityFrameworkCore.Tests.Harness;

internal static class Wait
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Waits until a backend of that name runs a statement, and returns its process id.</summary>
    public static async Task<int> ForStatementAsync(TestDatabase database, string applicationName, string text)
    {
        var backends = await database.Server.WaitForActivityAsync(backends => backends.Any(IsIt), Long);
        return backends.First(IsIt).ProcessId;

        bool IsIt(BackendActivity backend) => IsOf(database, applicationName, backend) && backend.State == "active" && backend.Query.Contains(text, StringComparison.Ordinal);
    }

    /// <summary>Waits until a backend of that name runs an INSERT, which another one's lock then stops.</summary>
    public static Task<int> ForLockAsync(TestDatabase database, string applicationName) => ForStatementAsync(database, applicationName, "INSERT INTO \"Orders\"");

    /// <summary>Waits until there are that many backends of that name.</summary>
    public static Task ForBackendsAsync(TestDatabase database, string applicationName, int count)
        => database.Server.WaitForActivityAsync(backends => backends.Count(backend => IsOf(database, applicationName, backend)) == count, Long);

    // One server serves all test classes, and each has its own databases: two may use the same name for an application.
    private static bool IsOf(TestDatabase database, string applicationName, BackendActivity backend)
        => backend.ApplicationName == applicationName && backend.Database == database.Name;
}
