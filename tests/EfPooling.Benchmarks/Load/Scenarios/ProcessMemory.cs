using System.Globalization;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>Memory of processes in bytes.</summary>
/// <param name="Processes">How many they are.</param>
/// <param name="Resident">The sum of what each has resident; memory that they share is counted for each of them.</param>
/// <param name="Proportional">The same with shared memory divided among those who share it; null where it cannot be read.</param>
internal sealed record ProcessMemory(int Processes, long Resident, long? Proportional)
{
    private const long Kilo = 1_024;

    /// <summary>Reads it from <c>/proc</c>; zero where there is none, for processes that have ended and for servers on other machines.</summary>
    public static ProcessMemory Read(IReadOnlyCollection<int> ids)
    {
        var details = ids.Select(id => ReadLines($"/proc/{id}/smaps_rollup")).ToList();
        return new ProcessMemory(
            ids.Count,
            ids.Sum(id => Find(ReadLines($"/proc/{id}/status"), "VmRSS:")),
            details.All(lines => lines.Length > 0) ? details.Sum(lines => Find(lines, "Pss:")) : null);
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static long Find(string[] lines, string name)
    {
        var line = lines.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : Kilo * long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }
}
