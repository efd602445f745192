using EfPooling.Dev;
using Npgsql;

namespace OrdersApi.Tests;

/// <summary>One PostgreSQL for all tests, and one API on it for those that bring their own products and customers.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    public DevPostgresServer Postgres { get; private set; } = null!;

    internal OrdersApp App { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Postgres = await DevPostgres.StartAsync();
        App = OrdersApp.Start(await Postgres.CreateDatabaseAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await Postgres.DisposeAsync();
    }

    /// <summary>An API of its own, on a database of its own.</summary>
    internal async Task<OrdersApp> StartAppAsync(params (string Name, string Value)[] settings)
        => OrdersApp.Start(await Postgres.CreateDatabaseAsync(), settings);

    /// <summary>A database and a role to which the server itself refuses more connections than the limit.</summary>
    public async Task<string> CreateLimitedDatabaseAsync(int connectionLimit)
    {
        var database = new NpgsqlConnectionStringBuilder(await Postgres.CreateDatabaseAsync());
        var role = database.Database!; // unique
        await using var connection = new NpgsqlConnection(Postgres.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Made of constants, a number and a name that the fixture chose; none of it can be a parameter.
        command.CommandText = $"""
            CREATE ROLE {role} LOGIN PASSWORD '{role}' CONNECTION LIMIT {connectionLimit};
            ALTER DATABASE {role} OWNER TO {role};
            GRANT orders_app TO {role}; -- As which requests run. The shared API's migration has made it.
            """;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
        database.Username = role;
        database.Password = role;
        return database.ConnectionString;
    }
}

[CollectionDefinition(Name)]
public sealed class SharedServerTests : ICollectionFixture<SharedServer>
{
    public const string Name = "shared server";
}
