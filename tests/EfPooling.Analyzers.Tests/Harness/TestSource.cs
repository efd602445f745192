namespace EfPooling.Analyzers.Tests;

/// <summary>
/// Makes a file of an example. A source that declares a type is a file. A source that begins with a modifier is the members of a
/// class, anything else the statements of its asynchronous method; both have the parameters of <see cref="Header"/> at hand.
/// </summary>
internal static class TestSource
{
    /// <summary>What every file can use: the usual namespaces, a context with two sets.</summary>
    public const string Prelude =
        """
        global using System;
        global using System.Collections.Generic;
        global using System.Data;
        global using System.Data.Common;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Dapper;
        global using EfPooling.AdoNet;
        global using Microsoft.EntityFrameworkCore;
        global using Microsoft.EntityFrameworkCore.Diagnostics;
        global using Microsoft.EntityFrameworkCore.Storage;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Npgsql;

        public class Order { public int Id { get; set; } public string Name { get; set; } = ""; public bool Seen { get; set; } public List<Line> Lines { get; set; } = []; }

        public class Line { public int Id { get; set; } public int OrderId { get; set; } }

        public class AppDb(DbContextOptions<AppDb> options) : DbContext(options)
        {
            public DbSet<Order> Orders => Set<Order>();

            public DbSet<Line> Lines { get; set; } = null!;
        }
        """;

    /// <summary>What makes a library a program.</summary>
    public const string Program = "internal static class Program { private static void Main() { } }";

    private const string Header =
        "public class Example(AppDb db, DbConnection conn, NpgsqlConnection npgsql, NpgsqlDataSource source, TransactionPoolingDataSource pool, IDbContextFactory<AppDb> factory, HttpClient http, string text)\n{\n";

    private static readonly string[] Modifiers = ["public ", "private ", "protected ", "internal ", "static "];

    /// <summary>The prelude for a compilation that lacks some of its assemblies.</summary>
    public static string PreludeWithout(string? assembly)
        => string.Join('\n', Prelude.Split('\n').Where(line => assembly is null || !line.StartsWith("global using " + assembly, StringComparison.Ordinal)));

    public static string Wrap(string source)
        => source.Contains("class ", StringComparison.Ordinal) || source.Contains("using Microsoft", StringComparison.Ordinal) ? source
            : Modifiers.Any(modifier => source.StartsWith(modifier, StringComparison.Ordinal)) ? $"{Header}{source}\n}}\n"
            : $"{Header}    public async Task Run(int id, CancellationToken ct)\n    {{\n{source}\n        await Task.Yield();\n    }}\n}}\n";
}
