using System.Reflection;
using EfPooling.AdoNet;
using Npgsql;

namespace EfPooling.Aot.Sample;

/// <summary>Whether what is used of Npgsql's internals is there. Without it the pool works on, but worse, so no other line would show it.</summary>
internal static class Internals
{
    public static string Describe()
    {
        var missing = typeof(NpgsqlInternals).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.GetValue(null) is not true)
            .Select(field => field.Name)
            .ToList();
        using var hosts = new NpgsqlDataSourceBuilder("Host=a,b").BuildMultiHost();
        if (NpgsqlInternals.GetMultiHost(hosts.WithTargetSession(TargetSessionAttributes.Primary)) != hosts)
        {
            missing.Add(nameof(NpgsqlInternals.GetMultiHost));
        }

        return missing.Count == 0 ? "all there" : "missing: " + string.Join(", ", missing);
    }
}
