using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfPooling.Benchmarks.Load;

/// <summary>Where and with what was measured.</summary>
internal sealed record MachineInfo(
    string Processor, int Cores, string Memory, string OperatingSystem, string Runtime, string PostgreSql, string Npgsql, string EfCore, string Dapper, string PgBouncer)
{
    /// <param name="connectionString">Of the server.</param>
    /// <param name="bouncerVersion">Null if there is none.</param>
    public static async Task<MachineInfo> ReadAsync(string connectionString, string? bouncerVersion)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        return new MachineInfo(
            ReadProcessor(),
            Environment.ProcessorCount,
            $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1_073_741_824.0:0.0} GB",
            RuntimeInformation.OSDescription,
            RuntimeInformation.FrameworkDescription,
            connection.ServerVersion,
            VersionOf(typeof(NpgsqlConnection)),
            VersionOf(typeof(DbContext)),
            VersionOf(typeof(Dapper.SqlMapper)),
            bouncerVersion ?? "none");
    }

    /// <summary>One line for each fact.</summary>
    [JsonIgnore]
    public IEnumerable<(string Name, string Value)> Facts =>
    [
        ("processor", $"{Processor}, {Cores} cores"),
        ("memory", Memory),
        ("operating system", OperatingSystem),
        ("runtime", Runtime),
        ("PostgreSQL", PostgreSql),
        ("PgBouncer", PgBouncer),
        ("Npgsql", Npgsql),
        ("EF Core", EfCore),
        ("Dapper", Dapper),
    ];

    private static string ReadProcessor()
    {
        const string Cpu = "/proc/cpuinfo";
        var line = File.Exists(Cpu) ? File.ReadLines(Cpu).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    private static string VersionOf(Type type)
        => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
