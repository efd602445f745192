namespace BadSample;

public sealed class Efp0012(Shop db) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => db.Orders.LoadAsync(stoppingToken);
}
