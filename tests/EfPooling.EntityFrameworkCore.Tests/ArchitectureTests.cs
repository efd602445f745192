using System.Reflection;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>The arrows of the layers: who may reference whom.</summary>
public sealed class ArchitectureTests
{
    private const string Core = "EfPooling.Core";
    private const string AdoNet = "EfPooling.AdoNet";
    private const string EntityFrameworkCore = "EfPooling.EntityFrameworkCore";

    [Fact]
    public void Core_KnowsNoDatabase() => AssertReferences(Core, "Microsoft.Extensions.Logging.Abstractions");

    [Fact]
    public void AdoNet_KnowsCoreAndNpgsql() => AssertReferences(AdoNet, Core, "Npgsql", "Microsoft.Extensions.Logging.Abstractions");

    [Fact]
    public void EntityFrameworkCore_KnowsAdoNetAndTheProvider()
        => AssertReferences(
            EntityFrameworkCore, Core, AdoNet, "Npgsql", "Npgsql.EntityFrameworkCore.PostgreSQL",
            "Microsoft.EntityFrameworkCore", "Microsoft.EntityFrameworkCore.Abstractions", "Microsoft.EntityFrameworkCore.Relational",
            "Microsoft.Extensions.Configuration.Abstractions", "Microsoft.Extensions.Configuration.Binder",
            "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Hosting.Abstractions", "Microsoft.Extensions.Logging.Abstractions");

    [Theory]
    [InlineData(Core)]
    [InlineData(AdoNet)]
    [InlineData(EntityFrameworkCore)]
    public void Product_DoesNotKnowTheThrowAwayServer(string assembly)
        => Assert.DoesNotContain("EfPooling.DevPostgres", References(assembly));

    [Theory]
    [InlineData(Core)]
    [InlineData(AdoNet)]
    [InlineData(EntityFrameworkCore)]
    public void InternalsAreVisible_ToOurOwnAssembliesOnly(string assembly)
        => Assert.All(
            Assembly.Load(assembly).GetCustomAttributes<System.Runtime.CompilerServices.InternalsVisibleToAttribute>(),
            friend => Assert.StartsWith("EfPooling.", friend.AssemblyName, StringComparison.Ordinal));

    private static void AssertReferences(string assembly, params string[] allowed)
        => Assert.Empty(References(assembly).Where(name => !IsBaseLibrary(name)).Except(allowed));

    // Measuring coverage adds netstandard, the base library under its old name.
    private static bool IsBaseLibrary(string name) => name == "netstandard" || name.StartsWith("System.", StringComparison.Ordinal);

    private static IEnumerable<string> References(string assembly) => Assembly.Load(assembly).GetReferencedAssemblies().Select(name => name.Name!);
}
