namespace EfPooling.AdoNet.Sql;

/// <summary>What the names of settings mean to the server: it compares them without the case of ASCII's letters, and knows some by older names.</summary>
internal static class SqlSetting
{
    /// <summary>How constants are read. Whatever changes it makes every later text of the session another one.</summary>
    public const string StringSyntax = "standard_conforming_strings";

    /// <summary>The state of <c>random()</c>: it can be set, but neither read nor reset.</summary>
    public const string Seed = "seed";

    public static string NameOf(string name) => SqlCharacters.Fold(name) switch
    {
        "sort_mem" => "work_mem",
        "vacuum_mem" => "maintenance_work_mem",
        var folded => folded,
    };
}
