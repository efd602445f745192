namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Extensions whose C functions were reviewed: they run no SQL given to them and leave nothing in the session. Their functions in
/// other languages are read like those of users.
/// </summary>
internal static class HarmlessExtensions
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "btree_gin", "btree_gist", "citext", "cube", "dict_int", "dict_xsyn", "earthdistance", "fuzzystrmatch", "hstore", "intarray", "lo", "ltree",
        "moddatetime", "pg_buffercache", "pg_stat_statements", "pg_trgm", "pgcrypto", "pgrowlocks", "pgstattuple", "postgis", "seg", "tcn", "tsm_system_rows", "tsm_system_time",
        "unaccent", "uuid-ossp", "vector",
    };

    // set_limit changes a setting of pg_trgm. The other one, of postgis, builds a CREATE TABLE from the names given to it.
    private static readonly HashSet<string> Exceptions = new(StringComparer.Ordinal) { "set_limit", "st_fromflatgeobuftotable" };

    public static bool Contains(string extension) => Names.Contains(extension);

    public static bool Contains(string? extension, string function) => extension is not null && Names.Contains(extension) && !Exceptions.Contains(function);
}
