namespace EfPooling.Benchmarks.Load.Data;

/// <summary>As in pgbench.</summary>
public sealed class Teller
{
    public int Id { get; set; }

    public int BranchId { get; set; }

    public int Balance { get; set; }
}
