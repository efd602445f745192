using System.Globalization;

namespace EfPooling.Benchmarks.Analyzers;

/// <summary>A thousand files with EF Core, Dapper and ADO.NET, as services of an application have them. Some make the mistakes that rules look for.</summary>
internal static class SyntheticProject
{
    private const string Shared =
        """
        global using System;
        global using System.Collections.Generic;
        global using System.Data.Common;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Dapper;
        global using Microsoft.EntityFrameworkCore;
        global using Npgsql;

        namespace Synthetic;

        public class Order { public int Id { get; set; } public string Name { get; set; } = ""; public decimal Total { get; set; } public DateTime Created { get; set; } public List<Line> Lines { get; set; } = []; }

        public class Line { public int Id { get; set; } public int OrderId { get; set; } public int Quantity { get; set; } public decimal Price { get; set; } }

        public class AppDb(DbContextOptions<AppDb> options) : DbContext(options) { public DbSet<Order> Orders => Set<Order>(); public DbSet<Line> Lines => Set<Line>(); }

        public sealed record Summary(int Id, string Name, decimal Total, int Count);
        """;

    private const string Service =
        """
        namespace Synthetic;

        public interface IOrderService{0} { Task<Summary?> FindAsync(int id, CancellationToken ct); Task<int> PayAsync(int id, CancellationToken ct); }

        public sealed class OrderService{0}(AppDb db, DbConnection connection, IDbContextFactory<AppDb> factory, HttpClient http, TimeProvider time) : IOrderService{0}
        {
            private readonly Dictionary<int, Summary> _known = [];

            public async Task<Summary?> FindAsync(int id, CancellationToken ct)
            {
                if (_known.TryGetValue(id, out var known)) return known;
                var found = await db.Orders.AsNoTracking().Where(order => order.Id == id && order.Total > {0}).Select(order => new Summary(order.Id, order.Name, order.Total, order.Lines.Count)).SingleOrDefaultAsync(ct);
                if (found is not null) _known[id] = found;
                return found;
            }

            public async Task<int> PayAsync(int id, CancellationToken ct)
            {
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                var order = await db.Orders.Include(order => order.Lines).SingleAsync(order => order.Id == id, ct);
                order.Total = order.Lines.Sum(line => line.Price * line.Quantity);
                order.Created = time.GetUtcNow().UtcDateTime;
                await db.Database.ExecuteSqlAsync($"SET LOCAL statement_timeout = '5s'", ct);
                await db.Database.ExecuteSqlAsync($"UPDATE lines SET price = price + {order.Total} WHERE order_id = {id}", ct);
                await db.SaveChangesAsync(ct);
                await transaction.CommitAsync(ct);
                return order.Lines.Count;
            }

            public async Task<IReadOnlyList<Summary>> ReportAsync(DateTime from, DateTime to, CancellationToken ct)
            {
                var rows = await connection.QueryAsync<Summary>("SELECT o.id, o.name, o.total, count(*) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.created BETWEEN @from AND @to GROUP BY 1, 2, 3", new { from, to });
                var list = new List<Summary>();
                foreach (var row in rows.OrderBy(row => row.Total).ThenBy(row => row.Name))
                {
                    if (row.Count > {0} % 7) list.Add(row with { Name = Normalise(row.Name) });
                }

                return list;
            }

            public async Task<int> ImportAsync(IEnumerable<Order> orders, CancellationToken ct)
            {
                var count = 0;
                foreach (var batch in orders.Chunk(100))
                {
                    db.Orders.AddRange(batch);
                    count += await db.SaveChangesAsync(ct);
                    db.ChangeTracker.Clear();
                }

                await using var command = connection.CreateCommand();
                command.CommandText = "INSERT INTO log (text, at) VALUES (@text, now())";
                var parameter = command.CreateParameter();
                parameter.ParameterName = "text";
                parameter.Value = $"imported {count} orders by service {0}";
                command.Parameters.Add(parameter);
                await command.ExecuteNonQueryAsync(ct);
                return count;
            }

            public async Task<int> MoveAsync(IReadOnlyList<int> ids, Uri target, CancellationToken ct)
            {
                var moved = 0;
                foreach (var id in ids)
                {
                    var transaction = await connection.BeginTransactionAsync(ct);
                    try
                    {
                        await connection.ExecuteAsync("UPDATE orders SET total = total + @x WHERE id = @id", new { x = {0}, id }, transaction);
                        moved += await connection.ExecuteAsync("DELETE FROM lines WHERE order_id = @id", new { id }, transaction);
                        if (moved > {0}) { await transaction.RollbackAsync(ct); continue; }
                        await transaction.CommitAsync(ct);
                    }
                    finally
                    {
                        await transaction.DisposeAsync();
                    }
                }

                using var response = await http.GetAsync(target, ct);
                return moved;
            }

            public async Task<int> CountAsync(IEnumerable<int> ids, CancellationToken ct)
            {
                var request = http.GetStringAsync("orders/{0}", ct);
                var orders = db.Orders.CountAsync(order => order.Total > {0}, ct);
                var text = await request;
                var lines = await orders + await db.Lines.CountAsync(line => line.Quantity > text.Length, ct);
                var all = await Task.WhenAll(ids.Select(async id =>
                {
                    await using var own = await factory.CreateDbContextAsync(ct);
                    return await own.Lines.CountAsync(line => line.OrderId == id, ct);
                }));
                await Parallel.ForEachAsync(ids, ct, async (id, token) =>
                {
                    await using var own = await factory.CreateDbContextAsync(token);
                    await own.Orders.Where(order => order.Id == id).ExecuteUpdateAsync(set => set.SetProperty(order => order.Name, Normalise(text)), token);
                });
                return lines + all.Sum();
            }

            public async Task<List<string>> NamesAsync(CancellationToken ct)
            {
                var names = new List<string>();
                await using (var command = connection.CreateCommand())
                {
                    command.CommandText = "SELECT name FROM orders WHERE id > {0}";
                    await using var reader = await command.ExecuteReaderAsync(ct);
                    while (await reader.ReadAsync(ct)) names.Add(reader.GetString(0));
                }

                await foreach (var order in db.Orders.Where(order => order.Total > {0}).AsAsyncEnumerable().WithCancellation(ct)) names.Add(order.Name);
                return names;
            }

            private static string Normalise(string name)
            {
                var text = name.Trim();
                while (text.Contains("  ", StringComparison.Ordinal)) text = text.Replace("  ", " ", StringComparison.Ordinal);
                return text.Length > 40 ? text[..40] : text;
            }
        }
        """;

    // One file in fifty.
    private const string Mistake =
        """
        namespace Synthetic;

        public static class Mistakes{0}
        {
            public static void Set(AppDb db, string tenant) => db.Database.ExecuteSql($"SELECT set_config('app.tenant', {tenant}, false)");

            public static void Lock(DbConnection connection) => connection.Execute("SELECT pg_advisory_lock({0})");
        }
        """;

    /// <summary>The files, each with its text.</summary>
    public static IEnumerable<(string Name, string Text)> Files(int count)
    {
        yield return ("Shared.cs", Shared);
        for (var i = 1; i < count; i++)
        {
            yield return ($"File{i}.cs", (i % 50 == 0 ? Mistake : Service).Replace("{0}", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        }
    }
}
