namespace EfPooling.Benchmarks.Load.Data;

/// <summary>What is read by its key and, in <c>mixed</c>, updated.</summary>
public sealed class Item
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public int Stock { get; set; }
}
