using System.Text.Json;
using Microsoft.EntityFrameworkCore;

namespace OrdersApi.Data;

/// <summary>The model. Names in the database are in snake case, so SQL for Dapper needs no quotes.</summary>
internal sealed class OrdersDb(DbContextOptions<OrdersDb> options) : DbContext(options)
{
    private const string TenantId = "TenantId";

    public DbSet<Product> Products => Set<Product>();

    public DbSet<Customer> Customers => Set<Customer>();

    public DbSet<Order> Orders => Set<Order>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        // The code never mentions the tenant again: the database writes it, and its policies show each tenant its own rows only.
        foreach (var entity in new[] { typeof(Customer), typeof(Order), typeof(OrderLine) })
        {
            modelBuilder.Entity(entity).Property<string>(TenantId).IsRequired().HasMaxLength(40).HasDefaultValueSql("current_setting('app.tenant_id')");
        }

        modelBuilder.Entity<Product>(product =>
        {
            product.ToTable("products", table =>
            {
                table.HasCheckConstraint("CK_products_price", "price >= 0");
                table.HasCheckConstraint("CK_products_stock", "stock >= 0");
            });
            product.Property(p => p.Sku).HasMaxLength(32);
            product.Property(p => p.Name).HasMaxLength(200);
            product.Property(p => p.Price).HasPrecision(12, 2);
            product.HasIndex(p => p.Sku).IsUnique();
        });
        modelBuilder.Entity<Customer>(customer =>
        {
            customer.ToTable("customers");
            customer.Property(c => c.Name).HasMaxLength(200);
            customer.Property(c => c.Email).HasMaxLength(254);
            customer.HasIndex(TenantId, nameof(Customer.Email)).IsUnique();
        });
        modelBuilder.Entity<Order>(order =>
        {
            order.ToTable("orders", table => table.HasCheckConstraint("CK_orders_paid_at", "(status = 'Paid') = (paid_at IS NOT NULL)"));
            order.HasIndex(TenantId);
            order.Property(o => o.Status).HasConversion<string>().HasMaxLength(16);
            order.Property(o => o.Total).HasPrecision(14, 2);
            order.Property(o => o.CreatedAt).HasDefaultValueSql("now()");
            order.HasOne(o => o.Customer).WithMany().HasForeignKey(o => o.CustomerId).OnDelete(DeleteBehavior.Restrict);
            order.HasMany(o => o.Lines).WithOne().HasForeignKey(l => l.OrderId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<OrderLine>(line =>
        {
            line.ToTable("order_lines", table => table.HasCheckConstraint("CK_order_lines_quantity", "quantity > 0"));
            line.HasKey(l => new { l.OrderId, l.ProductId });
            line.Property(l => l.UnitPrice).HasPrecision(12, 2);
            line.HasOne(l => l.Product).WithMany().HasForeignKey(l => l.ProductId).OnDelete(DeleteBehavior.Restrict);
        });

        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties()))
        {
            property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
        }
    }
}
