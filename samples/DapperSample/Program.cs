using Dapper;
using EfPooling.AdoNet;
using EfPooling.Dev;

await using var server = await DevPostgres.StartAsync(new DevPostgresOptions { DatabaseName = "tea_shop" }); // A throw-away.
await using var dataSource = TransactionPoolingDataSource.Create(server.ConnectionString, options => options.MaxPoolSize = 2);

await using var shop = await dataSource.OpenConnectionAsync();
await shop.ExecuteAsync("CREATE TABLE tea (id int PRIMARY KEY, name text NOT NULL, sold int NOT NULL)");
await shop.ExecuteAsync("INSERT INTO tea VALUES (@id, @name, 0)", new[] { new { id = 0, name = "Assam" }, new { id = 1, name = "Sencha" } });

// All customers have a connection open at the same time. A server connection is held for each UPDATE only.
var customers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => dataSource.OpenConnectionAsync().AsTask()));
await Task.WhenAll(customers.Select((connection, i) => connection.ExecuteAsync("UPDATE tea SET sold = sold + 1 WHERE id = @id", new { id = i % 2 })));
Console.WriteLine($"{customers.Length} customers have a connection open. Server connections opened for them: {dataSource.GetSnapshot().Opened}.");
await Task.WhenAll(customers.Select(connection => connection.DisposeAsync().AsTask()));

var teas = await shop.QueryAsync<(string Name, int Sold)>("SELECT name, sold FROM tea WHERE id = ANY(@ids) ORDER BY id", new { ids = new[] { 0, 1 } });
Console.WriteLine($"Sold: {string.Join(", ", teas.Select(tea => $"{tea.Sold} {tea.Name}"))}.");
