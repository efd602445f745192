namespace EfPooling.AdoNet.Sql;

/// <summary>The server's view of setting names: it ignores the case of ASCII letters, and accepts older names for some.</summary>
internal static class SqlSetting
{
    /// <summary>How constants are read. A change of it changes the meaning of every later text of the session.</summary>
    public const string StringSyntax = "standard_conforming_strings";

    /// <summary>The seed of <c>random()</c>. It can be set, but neither read nor reset.</summary>
    public const string Seed = "seed";

    public static string NameOf(string name) => SqlCharacters.Fold(name) switch
    {
        "sort_mem" => "work_mem",
        "vacuum_mem" => "maintenance_work_mem",
        var folded => folded,
    };
}
