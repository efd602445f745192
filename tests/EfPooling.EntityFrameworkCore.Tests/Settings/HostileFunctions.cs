namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>Functions that change the session behind everybody's back, whatever they are declared to be, and the texts that call them.</summary>
internal static class HostileFunctions
{
    /// <summary>They are everybody's to call.</summary>
    public const string Create =
        """
        CREATE FUNCTION as_tenant(t text, is_local boolean) RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM set_config('app.tenant_id', t, is_local); RETURN t; END $$;
        CREATE FUNCTION as_tenant_stable(t text, is_local boolean) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM set_config('app.tenant_id', t, is_local); RETURN t; END $$;
        CREATE FUNCTION as_tenant_immutable(t text, is_local boolean) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('app.tenant_id', t, is_local); RETURN t; END $$;
        CREATE FUNCTION defaulted(t text DEFAULT as_tenant_stable('tenant 1', false)) RETURNS text LANGUAGE sql STABLE RETURN t;
        CREATE FUNCTION same(a text, b text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('app.tenant_id', a, false); RETURN true; END $$;
        CREATE OPERATOR ==== (LEFTARG = text, RIGHTARG = text, FUNCTION = same);
        CREATE DOMAIN visited AS text CHECK (as_tenant_immutable(VALUE, false) IS NOT NULL);
        CREATE VIEW spy AS SELECT as_tenant_stable('tenant 2', false) AS tenant;
        GRANT SELECT ON spy TO PUBLIC;
        """;

    /// <summary>One of the ways to become another tenant past the pool.</summary>
    public static string Call(Random random, string tenant) => random.Next(9) switch
    {
        0 => $"SELECT as_tenant('{tenant}', false)",
        1 => $"SELECT as_tenant_stable('{tenant}', false)",
        2 => $"SELECT as_tenant_stable('{tenant}', true)",
        3 => $"SELECT as_tenant_immutable('{tenant}', false)",
        4 => "SELECT defaulted()",
        5 => $"SELECT '{tenant}' ==== 'x'",
        6 => $"SELECT '{tenant}'::visited",
        7 => "SELECT tenant FROM spy",
        _ => $"DO $$ BEGIN EXECUTE 'SET app.' || 'tenant_id = ''{tenant}'''; END $$",
    };
}
