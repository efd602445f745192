namespace EfPooling.Benchmarks.Load.Data;

/// <summary>A row of a page: eight columns of the usual types.</summary>
public sealed class Entry
{
    public long Id { get; set; }

    public int Page { get; set; }

    public required string Title { get; set; }

    public string? Note { get; set; }

    public decimal Price { get; set; }

    public double Weight { get; set; }

    public bool IsOpen { get; set; }

    public DateTime Created { get; set; }
}
