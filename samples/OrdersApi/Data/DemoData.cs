using Microsoft.EntityFrameworkCore;

namespace OrdersApi.Data;

/// <summary>What an empty shop starts with. EF Core runs it after the migrations, under their lock.</summary>
internal static class DemoData
{
    public static async Task SeedAsync(DbContext db, bool storeManagement, CancellationToken cancellationToken)
    {
        if (await db.Set<Product>().AnyAsync(cancellationToken))
        {
            return;
        }

        db.AddRange(
            new Product { Sku = "TEA-100", Name = "Green tea, 100 g", Price = 7.90m, Stock = 1_000 },
            new Product { Sku = "TEA-250", Name = "Green tea, 250 g", Price = 16.50m, Stock = 500 },
            new Product { Sku = "POT-IRON", Name = "Cast-iron teapot", Price = 89.00m, Stock = 25 },
            new Product { Sku = "CUP-2", Name = "Two porcelain cups", Price = 24.00m, Stock = 200 },
            new Product { Sku = "WHISK", Name = "Bamboo whisk", Price = 18.75m, Stock = 60 },
            new Product { Sku = "KETTLE", Name = "Water kettle with thermometer", Price = 119.00m, Stock = 10 },
            new Product { Sku = "TIN", Name = "Tea tin", Price = 12.00m, Stock = 300 },
            new Product { Sku = "LAST", Name = "Tea calendar of last year", Price = 1.00m, Stock = 1 });
        db.AddRange(
            new Customer { Name = "Ada Lovelace", Email = "ada@example.com" },
            new Customer { Name = "Grace Hopper", Email = "grace@example.com" },
            new Customer { Name = "Edgar Codd", Email = "edgar@example.com" });
        await db.SaveChangesAsync(cancellationToken);
    }
}
