using Npgsql;
using NpgsqlTypes;

namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Which parameters are certainly of the server's own types, or of ranges and arrays of them. The check of a type of the
/// database's may run anything, and a text with a parameter of that type need not name it.
/// </summary>
internal static class ParameterTypes
{
    private const NpgsqlDbType Shapes = NpgsqlDbType.Array | NpgsqlDbType.Range | NpgsqlDbType.Multirange;

    private static readonly HashSet<NpgsqlDbType> BuiltIn =
    [
        NpgsqlDbType.Bigint, NpgsqlDbType.Double, NpgsqlDbType.Integer, NpgsqlDbType.Numeric, NpgsqlDbType.Real, NpgsqlDbType.Smallint, NpgsqlDbType.Money, NpgsqlDbType.Boolean,
        NpgsqlDbType.Box, NpgsqlDbType.Circle, NpgsqlDbType.Line, NpgsqlDbType.LSeg, NpgsqlDbType.Path, NpgsqlDbType.Point, NpgsqlDbType.Polygon, NpgsqlDbType.Char,
        NpgsqlDbType.Text, NpgsqlDbType.Varchar, NpgsqlDbType.Name, NpgsqlDbType.InternalChar, NpgsqlDbType.Bytea, NpgsqlDbType.Date, NpgsqlDbType.Time, NpgsqlDbType.Timestamp,
        NpgsqlDbType.TimestampTz, NpgsqlDbType.Interval, NpgsqlDbType.TimeTz, NpgsqlDbType.Inet, NpgsqlDbType.Cidr, NpgsqlDbType.MacAddr, NpgsqlDbType.MacAddr8,
        NpgsqlDbType.Bit, NpgsqlDbType.Varbit, NpgsqlDbType.TsVector, NpgsqlDbType.TsQuery, NpgsqlDbType.Uuid, NpgsqlDbType.Xml, NpgsqlDbType.Json, NpgsqlDbType.Jsonb,
        NpgsqlDbType.JsonPath, NpgsqlDbType.Oid, NpgsqlDbType.Xid, NpgsqlDbType.Xid8, NpgsqlDbType.Cid, NpgsqlDbType.Tid, NpgsqlDbType.PgLsn,
    ];

    // As Npgsql names the type that it would send. An explicit type name takes precedence over the other ways to give the type,
    // and its schema counts.
    private static readonly HashSet<string> Names = [.. BuiltIn.SelectMany(NamesOf)];

    public static bool AreBuiltIn(NpgsqlParameterCollection parameters)
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            // Unknown if Npgsql would have to ask the database for the type.
            if (!BuiltIn.Contains(parameters[i].NpgsqlDbType & ~Shapes) || parameters[i].DataTypeName is not { } name || !Names.Contains(name))
            {
                return false;
            }
        }

        return true;
    }

    private static IEnumerable<string> NamesOf(NpgsqlDbType type)
    {
        foreach (var shape in new[] { type, type | NpgsqlDbType.Array, type | NpgsqlDbType.Range, type | NpgsqlDbType.Range | NpgsqlDbType.Array, type | NpgsqlDbType.Multirange, type | NpgsqlDbType.Multirange | NpgsqlDbType.Array })
        {
            if (new NpgsqlParameter { NpgsqlDbType = shape }.DataTypeName is { } name)
            {
                yield return name;
            }
        }
    }
}
