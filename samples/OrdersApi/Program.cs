using System.Text.Encodings.Web;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using OrdersApi;
using OrdersApi.Data;
using OrdersApi.Features;
using OrdersApi.Http;

// The content root holds appsettings.json, wherever the program is started from.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
await using var database = await DatabaseServer.StartAsync(builder.Configuration);

// One pool for EF Core and Dapper. Everything that follows asks the services for a context, a connection or the pool.
builder.Services.AddTransactionPooling(database.ConnectionString, builder.Configuration.GetSection("Pooling"), Tenant.Declare);
builder.Services.AddDbContextPool<OrdersDb>(options => options
    .UseNpgsql()
    .UseTransactionPooling());

builder.Logging.AddJsonConsole(options => options.JsonWriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
builder.Services.AddSingleton(services => services.GetRequiredService<ILoggerFactory>().CreateLogger("OrdersApi"));
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = Problems.Customize);
builder.Services.AddExceptionHandler<ExceptionProblems>();
builder.Services.AddValidation();
builder.Services.AddOpenApi();
builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true); // ExceptionProblems tells the client what is bad.
builder.Services.ConfigureHttpJsonOptions(options =>
{
    options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
    options.SerializerOptions.RespectNullableAnnotations = true;
    options.SerializerOptions.RespectRequiredConstructorParameters = true;
    options.SerializerOptions.Converters.Add(new JsonStringEnumConverter());
});

await using var app = builder.Build();
app.UseRequestLog();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseTenants();
app.MapOpenApi("/openapi/v1.json").WithSummary("The OpenAPI document.");
app.MapHome();
app.MapProducts();
app.MapCustomers();
app.MapOrders();
app.MapNotifications();
app.MapReports();
app.MapDemo();
app.MapPool();

database.Announce(app.Logger);
await Owner.MigrateAsync(database.OwnersConnectionString, app.Services.GetRequiredService<ILoggerFactory>());
await app.RunAsync();
