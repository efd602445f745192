namespace EfPooling.Benchmarks.Load.Data;

/// <summary>As in pgbench.</summary>
public sealed class Branch
{
    public int Id { get; set; }

    public int Balance { get; set; }
}
