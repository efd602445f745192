namespace EfPooling.AdoNet.Tests.Safety;

/// <summary>Reads that would share a round trip with an adversary's see the rows of their own tenant, then and afterwards.</summary>
public sealed class SharedReadSafetyTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Schema =
        """
        DROP SCHEMA public CASCADE; CREATE SCHEMA public;
        DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shared_reader') THEN CREATE ROLE shared_reader LOGIN PASSWORD 'shared'; END IF; END $$;
        CREATE TABLE items (tenant text, v int);
        INSERT INTO items SELECT t::text, v FROM generate_series(1, 3) t, generate_series(1, 5) v;
        ALTER TABLE items ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON items USING (tenant = current_setting('app.tenant_id'));
        CREATE FUNCTION as_tenant(t text) RETURNS text STABLE LANGUAGE plpgsql AS $f$ BEGIN PERFORM set_config('app.tenant_id', t, true); RETURN t; END $f$;
        CREATE FUNCTION in_tokyo(t timestamptz) RETURNS text STABLE LANGUAGE plpgsql AS $f$ BEGIN PERFORM set_config('TimeZone', 'Asia/Tokyo', true); RETURN t::text; END $f$;
        CREATE FUNCTION lop(int, int) RETURNS bool STABLE LANGUAGE plpgsql AS $f$ BEGIN PERFORM set_config('app.tenant_id', '2', true); RETURN true; END $f$;
        CREATE OPERATOR ~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = lop);
        CREATE FUNCTION dflt(t text DEFAULT set_config('app.tenant_id', '2', true)) RETURNS int STABLE LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION dynamic(q text) RETURNS int STABLE LANGUAGE plpgsql AS $f$ BEGIN EXECUTE q; RETURN 1; END $f$;
        CREATE VIEW evil AS SELECT set_config('app.tenant_id', '2', true) s;
        GRANT USAGE ON SCHEMA public TO shared_reader; GRANT SELECT ON items, evil TO shared_reader;
        """;

    [Theory]
    [InlineData("SELECT as_tenant('2')")]
    [InlineData("SELECT in_tokyo('2024-01-01 00:00:00+00')")]
    [InlineData("SELECT U&\"s!0065t_config\" UESCAPE $$!$$ ('app.tenant_id', '2', true)")]
    [InlineData("SELECT U&\"s!0065t_config\" UESCAPE $$!$$ ('app.tenant_id', '2', false)")]
    [InlineData("SELECT set_config('app.tenant_id', '2', true)")]
    [InlineData("SELECT 1 LIKE 2")]
    [InlineData("SELECT dflt()")]
    [InlineData("SELECT table_to_xml('evil', true, false, '')")]
    [InlineData("SELECT * FROM evil")]
    [InlineData("SELECT query_to_xml('SELECT set_config(''app.tenant_id'', ''2'', true)', true, false, '')")]
    [InlineData("SELECT dynamic('SET LOCAL app.tenant_id = 2')")]
    public async Task ReadsOfOtherCallers_SeeTheirTenantAndTheirZone_BesideAnAdversary_AndAfterwards(string hostile)
    {
        await PrepareDatabaseAsync(Schema);
        var pool = CreateSharingPool(maxPoolSize: 1, keywords: "Username=shared_reader;Password=shared;Timezone=Etc/UTC", configure: options => options.SessionSetting("app.tenant_id", _ => "1", required: true));
        const string Victim = "SELECT string_agg(DISTINCT tenant, ',') || current_setting('TimeZone') FROM items";
        for (var round = 0; round < 3; round++)
        {
            var reads = await pool.GatherAsync(12, async (connection, i) =>
            {
                if (i is 2 or 5)
                {
                    await Record.ExceptionAsync(() => connection.AskAsync<object?>(hostile));
                    return "1Etc/UTC";
                }

                return await connection.AskAsync<string>(Victim);
            });
            Assert.All(reads, seen => Assert.Equal("1Etc/UTC", seen));
            await using var after = await pool.OpenConnectionAsync();
            Assert.Equal("1Etc/UTC", await after.AskAsync<string>(Victim));
        }

        Assert.NotEqual(0L, pool.GetMultiplexingStatistics().BatchedReads);
    }
}
