namespace EfPooling.AdoNet.Sql;

/// <summary>The schema of temporary objects: <c>pg_temp</c>, or <c>pg_temp_3</c> by its true name.</summary>
internal static class TemporarySchema
{
    public static bool Is(string name)
        => name == "pg_temp" || (name.StartsWith("pg_temp_", StringComparison.Ordinal) && name.Length > 8 && SqlCharacters.IsDigit(name[8]));

    /// <summary>Whether a search path has it, so that what is created may be temporary.</summary>
    public static bool IsIn(string searchPath)
    {
        foreach (var schema in searchPath.Split(','))
        {
            if (Is(schema.Trim(' ', '"').ToLowerInvariant()))
            {
                return true;
            }
        }

        return false;
    }
}
