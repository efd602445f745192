using System.Net.Http.Json;
using System.Text.Json;
using EfPooling.AdoNet;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrdersApi.Data;

namespace OrdersApi.Tests;

/// <summary>The API in this process, with real Kestrel on a free port.</summary>
internal sealed class OrdersApp : WebApplicationFactory<Program>
{
    /// <summary>Whose requests these are, unless a test says otherwise.</summary>
    public const string Tenant = "tea-house";

    private readonly string _connectionString;
    private readonly (string Name, string Value)[] _settings;

    private OrdersApp(string connectionString, (string Name, string Value)[] settings)
        => (_connectionString, _settings) = (connectionString, settings);

    public HttpClient Client { get; private set; } = null!;

    public LogCapture Logs { get; } = new();

    public ManualTime Time { get; } = new();

    public TransactionPoolingDataSource Pool => Services.GetRequiredService<TransactionPoolingDataSource>();

    public static OrdersApp Start(string connectionString, params (string Name, string Value)[] settings)
    {
        var app = new OrdersApp(connectionString, settings);
        app.UseKestrel(0);
        app.StartServer();
        app.Client = app.CreateClientOf(Tenant);
        return app;
    }

    /// <summary>A client of one tenant.</summary>
    public HttpClient CreateClientOf(string tenant)
    {
        var client = CreateClient();
        client.DefaultRequestHeaders.Add("X-Tenant", tenant);
        return client;
    }

    public async Task<Product> AddProductAsync(int stock, decimal price = 10m)
    {
        var product = new Product { Sku = Guid.NewGuid().ToString("N"), Name = "Test product", Price = price, Stock = stock };
        await WithDbAsync(db =>
        {
            db.Add(product);
            return db.SaveChangesAsync();
        });
        return product;
    }

    public async Task<Customer> AddCustomerAsync()
    {
        var customer = new Customer { Name = "Test customer", Email = $"{Guid.NewGuid():N}@example.com" };
        await WithDbAsync(db =>
        {
            db.Add(customer);
            return db.SaveChangesAsync();
        });
        return customer;
    }

    public async Task<T> WithDbAsync<T>(Func<OrdersDb, Task<T>> use)
    {
        Http.Tenant.Current = Tenant;
        await using var scope = Services.CreateAsyncScope();
        return await use(scope.ServiceProvider.GetRequiredService<OrdersDb>());
    }

    public async Task<Answer> GetAsync(string path) => await Answer.ReadAsync(await Client.GetAsync(path));

    public async Task<Answer> PostAsync(string path, object? body = null)
        => await Answer.ReadAsync(await Client.PostAsync(path, body is null ? null : JsonContent.Create(body, options: JsonSerializerOptions.Web)));

    public Task<Answer> OrderAsync(int customerId, params (int ProductId, int Quantity)[] lines)
        => PostAsync("/orders", new { customerId, lines = lines.Select(line => new { line.ProductId, line.Quantity }) });

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        // Settings arrive as arguments, so the API sees them as early as real ones.
        builder.UseEnvironment("Production");
        builder.UseSetting("urls", "http://127.0.0.1:0");
        builder.UseSetting("ConnectionStrings:Orders", _connectionString);
        foreach (var (name, value) in _settings)
        {
            builder.UseSetting(name, value);
        }

        builder.ConfigureLogging(logging => logging.ClearProviders().AddProvider(Logs).AddFilter<LogCapture>(null, LogLevel.Trace));
        builder.ConfigureTestServices(services => services.AddSingleton<TimeProvider>(Time));
    }
}
