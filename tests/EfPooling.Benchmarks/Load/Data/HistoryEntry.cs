namespace EfPooling.Benchmarks.Load.Data;

/// <summary>As in pgbench, with a key, which EF Core needs to insert.</summary>
public sealed class HistoryEntry
{
    public long Id { get; set; }

    public int TellerId { get; set; }

    public int BranchId { get; set; }

    public int AccountId { get; set; }

    public int Delta { get; set; }

    public DateTime Time { get; set; }
}
