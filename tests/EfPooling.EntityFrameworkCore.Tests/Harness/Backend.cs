namespace EfPooling.EntityFrameworkCore.Tests.Harness;

internal static class Backend
{
    /// <summary>Process id of the backend that serves the context's next command.</summary>
    public static Task<int> GetBackendPidAsync(this DbContext context)
        => context.Database.SqlQuery<int>($"SELECT pg_backend_pid() AS \"Value\"").SingleAsync();

    /// <summary>What PostgreSQL calls the client of the context's next command.</summary>
    public static Task<string> GetApplicationNameAsync(this DbContext context)
        => context.Database.SqlQuery<string>($"SELECT current_setting('application_name') AS \"Value\"").SingleAsync();
}
