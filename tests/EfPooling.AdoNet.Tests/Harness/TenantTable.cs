using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>
/// A table whose rows are seen by their tenant only, one without policies (into which COPY can write), and a role that is past no policy: for tests of who
/// sees and writes what.
/// </summary>
internal static class TenantTable
{
    public const string Role = "tenant_test";

    /// <summary>Creates all anew, with a row of tenant 1 and one of tenant 2.</summary>
    public const string Create =
        $"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{Role}') THEN CREATE ROLE {Role} LOGIN PASSWORD 'secret' NOSUPERUSER NOBYPASSRLS; END IF;
        END $$;
        DROP TABLE IF EXISTS note CASCADE;
        CREATE TABLE note (id int PRIMARY KEY, tenant text NOT NULL DEFAULT current_setting('app.tenant_id'));
        INSERT INTO note VALUES (-1, '1'), (-2, '2');
        ALTER TABLE note ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON note USING (tenant = current_setting('app.tenant_id'));
        DROP TABLE IF EXISTS draft;
        CREATE TABLE draft (id int);
        GRANT ALL ON note, draft TO {Role};
        """;

    public const string Keywords = $"Username={Role};Password=secret";

    /// <summary>Who the session is, and what it may see.</summary>
    public const string Identity = "SELECT concat_ws(' ', current_database(), session_user, current_user, (SELECT string_agg(DISTINCT tenant, ',') FROM note))";

    /// <summary>What <see cref="Identity"/> is to be for tenant 1.</summary>
    public static string IdentityOfTenant1(string connectionString) => $"{new NpgsqlConnectionStringBuilder(connectionString).Database} {Role} {Role} 1";

    /// <summary>Every statement of the pool is tenant 1's.</summary>
    public static void DeclareTenant1(TransactionPoolingOptions options) => options.SessionSetting("app.tenant_id", _ => "1", required: true);
}
