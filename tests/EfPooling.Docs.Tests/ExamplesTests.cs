using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace EfPooling.Docs.Tests;

/// <summary>Every C# block of the documentation compiles against the real libraries, in the surroundings that <see cref="Surroundings"/> gives.</summary>
public sealed partial class ExamplesTests
{
    private const string Surroundings =
        """
        using System;
        using System.Collections.Generic;
        using System.Data;
        using System.Data.Common;
        using System.Linq;
        using System.Net.Http;
        using System.Threading;
        using System.Threading.Tasks;
        using Dapper;
        using EfPooling.AdoNet;
        using EfPooling.Core;
        using EfPooling.Dev;
        using Microsoft.EntityFrameworkCore;
        using Microsoft.EntityFrameworkCore.Storage;
        using Microsoft.Extensions.Configuration;
        using Microsoft.Extensions.DependencyInjection;
        using Npgsql;

        public sealed record Order(int Id, string State)
        {
            public bool Seen { get; set; }
        }

        public sealed record Line(int Id);

        public sealed class AppDb(DbContextOptions<AppDb> options) : DbContext(options)
        {
            public DbSet<Order> Orders => Set<Order>();

            public DbSet<Line> Lines => Set<Line>();

            public string? TenantId { get; set; }
        }

        public static class Example
        {
            private static readonly IServiceCollection services = null!;
            private static readonly IConfiguration configuration = null!;
            private static readonly string connectionString = null!;
            private static readonly DbContextOptionsBuilder options = null!;
            private static readonly DbDataSource dataSource = null!;
            private static readonly TransactionPoolingDataSource pool = null!;
            private static readonly NpgsqlDataSource npgsqlDataSource = null!;
            private static readonly LogicalConnection connection = null!;
            private static readonly AppDb context = null!;
            private static readonly AppDb first = null!;
            private static readonly AppDb db = null!;
            private static readonly IDbContextFactory<AppDb> factory = null!;
            private static readonly HttpClient http = null!;
            private static readonly string tenant = null!;
            private static readonly CancellationToken ct;
            private static readonly IDbContextTransaction transaction = null!;
            private static readonly int id = 1;
            private static readonly int orderId = 1;
            private static readonly int[] ids = [1];
            private static readonly Uri url = null!;
            private static readonly HttpContent body = null!;
            private static readonly System.Threading.Channels.Channel<int> queue = null!;
            private static readonly AsyncLocal<string?> currentTenant = new();

            private static Task AskTheWarehouse(Order order) => Task.CompletedTask;

            public static async Task RunAsync()
            {
                await Task.CompletedTask;
        #line 1
        {0}
            }
        }
        """;

    public static TheoryData<string, int> Examples
    {
        get
        {
            var examples = new TheoryData<string, int>();
            foreach (var file in Documentation.Files)
            {
                for (var index = 0; index < Blocks(file).Count; index++)
                {
                    examples.Add(file, index);
                }
            }

            return examples;
        }
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Example_Compiles(string file, int index)
    {
        var code = Blocks(file)[index];
        var body = UsingDirective().Replace(code, ""); // The surroundings have them.
        var tree = CSharpSyntaxTree.ParseText(Surroundings.Replace("{0}", body, StringComparison.Ordinal));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            "Example", [tree], references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

        var errors = compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);

        Assert.True(!errors.Any(), $"{file}, example {index + 1}:\n{code}\n{string.Join('\n', errors)}");
    }

    [Fact]
    public void Examples_AreFound() => Assert.True(Examples.Count > 5);

    private static List<string> Blocks(string file) => [.. CSharpBlock().Matches(Documentation.Read(file)).Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"^using [\w.]+;$", RegexOptions.Multiline)]
    private static partial Regex UsingDirective();

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CSharpBlock();
}
