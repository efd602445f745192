using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfPooling.EntityFrameworkCore.Tests.Harness;

public sealed class Shop(DbContextOptions<Shop> options) : DbContext(options)
{
    public DbSet<Customer> Customers => Set<Customer>();

    public DbSet<Order> Orders => Set<Order>();

    public DbSet<CustomerTotal> CustomerTotals => Set<CustomerTotal>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Customer>().HasIndex(customer => customer.Name).IsUnique();
        modelBuilder.Entity<Customer>().Property(customer => customer.Version).IsRowVersion();
        modelBuilder.Entity<CustomerTotal>().HasNoKey().ToView("customer_totals");
    }
}

public sealed class Customer
{
    private readonly ILazyLoader? _lazyLoader;
    private List<Order> _orders = [];

    public Customer()
    {
    }

    // EF Core's constructor: it injects what loads the orders when they are first looked at.
    private Customer(ILazyLoader lazyLoader) => _lazyLoader = lazyLoader;

    public int Id { get; set; }

    public string Name { get; set; } = "";

    public uint Version { get; set; }

    public List<Order> Orders
    {
        get => _lazyLoader.Load(this, ref _orders!)!;
        set => _orders = value;
    }
}

public sealed class Order
{
    public int Id { get; set; }

    public int CustomerId { get; set; }

    public Customer? Customer { get; set; }

    public decimal Total { get; set; }
}

public sealed class CustomerTotal
{
    public string Name { get; set; } = "";

    public decimal Total { get; set; }
}
