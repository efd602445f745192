using EfPooling.Benchmarks.Load.Peers;

namespace EfPooling.Benchmarks.Load.Apis;

/// <summary>The APIs by the names that they have on the command line and in results.</summary>
internal static class ApiNames
{
    public const string Ado = "ado";
    public const string Dapper = "dapper";
    public const string Ef = "ef";

    public static IReadOnlyList<string> All { get; } = [Ado, Dapper, Ef];

    public static IDataApi Create(string name, PeerSession session) => name switch
    {
        Ado => new AdoApi(session.DataSource),
        Dapper => new DapperApi(session.DataSource),
        Ef => new EfApi(session.Contexts),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such API."),
    };
}
