namespace EfPooling.Architecture.Tests;

/// <summary>The folders of EfPooling.AdoNet as floors: an arrow may only point down.</summary>
internal static class Floors
{
    public const string Faces = "";

    /// <summary>Which folders each folder may use besides itself.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Arrows = new Dictionary<string, string[]>
    {
        ["Contracts"] = [],
        ["Sql"] = [],
        ["Catalog"] = ["Sql"],
        ["Settings"] = ["Contracts", "Sql"],
        ["Configuration"] = ["Contracts", "Settings", "Sql"],
        ["Diagnostics"] = ["Contracts", "Configuration"],
        ["Server"] = ["Contracts", "Settings", "Configuration", "Diagnostics", "Catalog", "Sql"],
        ["Pool"] = ["Contracts", "Settings", "Configuration", "Diagnostics", "Catalog", "Sql", "Server"],
        ["Multiplexing"] = ["Contracts", "Settings", "Configuration", "Diagnostics", "Catalog", "Sql", "Server", "Pool"],
        ["Execution"] = ["Contracts", "Settings", "Configuration", "Diagnostics", "Catalog", "Sql", "Server", "Pool", "Multiplexing"],
        ["Notifications"] = ["Contracts", "Configuration", "Diagnostics", "Server"],
        [Faces] = ["Contracts", "Settings", "Configuration", "Diagnostics", "Catalog", "Sql", "Server", "Pool", "Multiplexing", "Execution", "Notifications"],
    };

    /// <summary>Whether a use is an arrow that points down, or stays on its floor.</summary>
    public static bool Allow(FileUse use)
    {
        var (from, to) = (SourceModel.FolderOf(use.File), SourceModel.FolderOf(use.Target));
        return from == to || (Arrows.TryGetValue(from, out var below) && below.Contains(to));
    }
}
