// Owns a server until it is killed: started by KillingTheOwnerTests, which kills it.
using EfPooling.Dev;
using EfPooling.Dev.Local;

await using var server = await DevPostgres.StartAsync();
var host = (WatchedHost)((LocalServer)server.Control).Host;
Console.WriteLine($"{host.PostmasterId} {host.DirectoryPath}");
await Console.In.ReadLineAsync();
