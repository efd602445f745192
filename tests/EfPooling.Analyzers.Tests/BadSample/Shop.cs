global using System.Data.Common;
global using Dapper;
global using Microsoft.EntityFrameworkCore;
global using Microsoft.EntityFrameworkCore.Diagnostics;
global using Microsoft.Extensions.Hosting;
global using Npgsql;

namespace BadSample;

public sealed class Order
{
    public int Id { get; set; }

    public string Name { get; set; } = "";
}

public sealed class Line
{
    public int Id { get; set; }
}

public sealed class Shop(DbContextOptions<Shop> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    public DbSet<Line> Lines => Set<Line>();
}
