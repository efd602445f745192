namespace OrdersApi.Data;

public sealed class Customer
{
    public int Id { get; init; }

    public required string Name { get; set; }

    /// <summary>In lower case; unique for its tenant.</summary>
    public required string Email { get; set; }
}
