using System.Reflection;
using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace EfPooling.Analyzers.Tests;

/// <summary>Types are found whatever copies of them the referenced assemblies carry for themselves.</summary>
public sealed class TypeLookupTests
{
    private const string Mapper = "namespace Dapper { {0} static class SqlMapper { public static int Execute(this System.Data.IDbConnection connection, string sql) => 0; } }";

    private const string Uses = "public static class Uses { public static int Run(DbConnection own) => own.Execute(\"LISTEN a\"); }";

    private static readonly PropertyInfo[] Known = [.. typeof(KnownSymbols).GetProperties().Where(property => property.PropertyType == typeof(INamedTypeSymbol))];

    [Fact]
    public async Task Rules_KnowDapper_WhereAnotherLibraryCarriesItToo()
        => Assert.Equal(["EFP0004"], await IdsAsync(TestCompilation.Create(Uses).AddReferences(Assembly("Hangfire.SqlServer", Mapper.Replace("{0}", "internal", StringComparison.Ordinal)))));

    [Fact]
    public async Task Rules_KnowTheProjectsOwnCopy()
    {
        var own = TestCompilation.Create(Mapper.Replace("{0}", "internal", StringComparison.Ordinal), Uses);

        Assert.Equal(["EFP0004"], await IdsAsync(own));
        Assert.Equal(own.Assembly, KnownSymbols.Of(own).DapperSqlMapper!.ContainingAssembly, SymbolEqualityComparer.Default);
    }

    [Fact]
    public void InternalType_IsNotFound_WhereOnlyALibraryHasIt()
    {
        var compilation = Plain(Assembly("Hangfire.SqlServer", Mapper.Replace("{0}", "internal", StringComparison.Ordinal)));

        Assert.NotNull(compilation.GetTypesByMetadataName("Dapper.SqlMapper").SingleOrDefault());
        Assert.Null(TypeLookup.Find(compilation, "Dapper.SqlMapper"));
    }

    [Fact]
    public void InternalType_IsFound_WhereItsAssemblyLetsTheProjectIn()
    {
        const string Friend = "[assembly: System.Runtime.CompilerServices.InternalsVisibleTo(\"Example\")]";
        var compilation = Plain(Assembly("Shared", Friend + Mapper.Replace("{0}", "internal", StringComparison.Ordinal)));

        Assert.Equal("Shared", TypeLookup.Find(compilation, "Dapper.SqlMapper")!.ContainingAssembly.Name);
    }

    [Theory]
    [InlineData("Aaa", "Dapper")]
    [InlineData("Dapper", "Zzz")]
    public void PublicType_IsTheOneOfTheAssemblyThatIsNamedSo(string first, string second)
    {
        var source = Mapper.Replace("{0}", "public", StringComparison.Ordinal);
        var compilation = Plain(Assembly(first, source), Assembly(second, source), Assembly("Bbb", "public class Outer { private class Inner { } }"));

        Assert.Equal("Dapper", TypeLookup.Find(compilation, "Dapper.SqlMapper")!.ContainingAssembly.Name);
        Assert.Null(TypeLookup.Find(compilation, "Outer+Inner"));
    }

    [Fact]
    public void EveryKnownType_IsFound_WhereAnotherLibraryCarriesIt()
    {
        var compilation = TestCompilation.Create(Uses);
        var known = Known.ToDictionary(property => property.Name, property => (INamedTypeSymbol?)property.GetValue(KnownSymbols.Of(compilation)));
        Assert.DoesNotContain(null, known.Values);
        var copies = string.Concat(known.Values.Distinct(SymbolEqualityComparer.Default).Cast<INamedTypeSymbol>().Select(Copy));

        var crowded = compilation.AddReferences(Assembly("Copies", copies, withReferences: false));

        Assert.Null(crowded.GetTypeByMetadataName("Npgsql.NpgsqlConnection"));
        Assert.All(Known, property => Assert.Equal(known[property.Name], (INamedTypeSymbol?)property.GetValue(KnownSymbols.Of(crowded)), SymbolEqualityComparer.Default));
    }

    [Fact]
    public void FlowRules_KnowTheirTypes_WhereAnotherLibraryCarriesThem()
    {
        const string Copies = "namespace System.Threading.Tasks { internal static class Parallel { } } namespace System.Threading { internal class SemaphoreSlim { } internal class Timer { } }";
        var found = FlowSymbols.Of(TestCompilation.Create(Uses), KnownSymbols.Of(TestCompilation.Create(Uses)));
        var crowded = TestCompilation.Create(Uses).AddReferences(Assembly("Copies", Copies, withReferences: false));

        Assert.All(
            new[] { found, FlowSymbols.Of(crowded, KnownSymbols.Of(crowded)) }.SelectMany(symbols => new object[] { symbols, symbols.Runners }),
            symbols => Assert.DoesNotContain(symbols.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Where(field => field.FieldType == typeof(INamedTypeSymbol)), field => field.GetValue(symbols) is null));
    }

    private static string Copy(INamedTypeSymbol type)
    {
        var arguments = type.TypeParameters.Length == 0 ? "" : $"<{string.Join(", ", type.TypeParameters.Select((_, i) => "T" + i))}>";
        return $"namespace {type.ContainingNamespace.ToDisplayString()} {{ internal class {type.Name}{arguments} {{ }} }}\n";
    }

    private static CSharpCompilation Plain(params MetadataReference[] references)
        => CSharpCompilation.Create("Example", [], [MetadataReference.CreateFromFile(typeof(object).Assembly.Location), .. references]);

    private static PortableExecutableReference Assembly(string name, string source, bool withReferences = true)
    {
        var references = withReferences ? TestCompilation.Create().References : [MetadataReference.CreateFromFile(typeof(object).Assembly.Location)];
        var compilation = CSharpCompilation.Create(name, [CSharpSyntaxTree.ParseText(source)], references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        return MetadataReference.CreateFromImage(image.ToArray());
    }

    private static async Task<IReadOnlyList<string>> IdsAsync(Compilation compilation)
    {
        Assert.DoesNotContain(compilation.GetDiagnostics(), diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);
        return [.. (await Analysis.RunAsync(compilation, null, Analysis.AllAnalyzers())).Select(found => found.Id)];
    }
}
