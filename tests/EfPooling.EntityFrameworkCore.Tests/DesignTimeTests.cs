using System.Collections;
using Microsoft.EntityFrameworkCore.Design;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>The operations that <c>dotnet ef</c> runs, called as it calls them, on a context that uses transaction pooling.</summary>
public sealed class DesignTimeTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly string Tests = typeof(DesignTimeTests).Assembly.GetName().Name!;

    [Fact]
    public async Task DatabaseUpdate_MigrationsList_DbContextInfo_AndDatabaseDrop_Work()
    {
        var connectionString = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = $"absent_{Guid.NewGuid():N}" }.ConnectionString;
        var tool = new Tool(connectionString);
        tool.Run<OperationExecutor.UpdateDatabase>();

        var migrations = tool.Run<OperationExecutor.GetMigrations>(("noConnect", false));
        Assert.Equal(["Books True", "Titles True"], ((IEnumerable)migrations!).Cast<IDictionary>().Select(migration => $"{migration["Name"]} {migration["Applied"]}"));

        var info = (IDictionary)tool.Run<OperationExecutor.GetContextInfo>()!;
        Assert.Equal(new NpgsqlConnectionStringBuilder(connectionString).Database, info["DatabaseName"]);
        Assert.Contains("TransactionPooling", (string)info["Options"]!, StringComparison.Ordinal);
        Assert.DoesNotContain(database.Password, string.Join(' ', info.Values.Cast<object>()), StringComparison.Ordinal);

        await using (var library = Library.Create(connectionString))
        {
            library.Add(new Book { Title = "Faust", Genre = Genre.Poetry });
            await library.SaveChangesAsync();
        }

        tool.Run<OperationExecutor.UpdateDatabase>(("targetMigration", "0"));
        tool.Run<OperationExecutor.DropDatabase>();
        await using var dropped = Library.Create(connectionString);
        Assert.False(await dropped.Database.CanConnectAsync());
        Assert.DoesNotContain(database.Password, tool.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DatabaseUpdate_WithAnotherConnectionString_MigratesThatDatabase()
    {
        var (named, other) = (await database.Server.CreateDatabaseAsync(), await database.Server.CreateDatabaseAsync());
        new Tool(named).Run<OperationExecutor.UpdateDatabase>(("connectionString", other));
        await using var migrated = Library.Create(other);
        await using var untouched = Library.Create(named);
        Assert.Equal(2, (await migrated.Database.GetAppliedMigrationsAsync()).Count());
        Assert.Empty(await untouched.Database.GetAppliedMigrationsAsync());
    }

    [Fact]
    public void MigrationsScript_IsWrittenWithoutADatabase()
    {
        var script = new Tool("Host=absent.invalid;Username=nobody").Run<OperationExecutor.ScriptMigration>(("idempotent", true), ("noTransactions", false));
        Assert.Contains("CREATE TYPE genre", (string)script!, StringComparison.Ordinal);
    }

    // dotnet ef creates these objects by reflection, inside the application.
    private sealed class Tool
    {
        private readonly OperationExecutor _executor;
        private readonly List<string> _output = [];

        public Tool(string connectionString)
        {
            var reports = new OperationReportHandler(Note, Note, Note, Note);
            _executor = new OperationExecutor(reports, new Dictionary<string, object?>
            {
                ["targetName"] = Tests,
                ["startupTargetName"] = Tests,
                ["project"] = Tests,
                ["projectDir"] = AppContext.BaseDirectory,
                ["rootNamespace"] = Tests,
                ["language"] = "C#",
                ["nullable"] = true,
                ["remainingArguments"] = new[] { connectionString },
            });
        }

        public string Output => string.Join('\n', _output);

        public object? Run<TOperation>(params (string Name, object Value)[] arguments)
        {
            var result = new OperationResultHandler();
            var all = new Hashtable { ["contextType"] = nameof(Library) };
            foreach (var (name, value) in arguments)
            {
                all[name] = value;
            }

            Activator.CreateInstance(typeof(TOperation), _executor, result, all);
            Assert.True(result.ErrorMessage is null, $"{result.ErrorType}: {result.ErrorMessage}\n{result.ErrorStackTrace}\n{Output}");
            return result.Result;
        }

        private void Note(string? line) => _output.Add(line ?? "");
    }
}
