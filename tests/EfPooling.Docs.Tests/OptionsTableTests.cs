using System.Reflection;
using EfPooling.AdoNet;

namespace EfPooling.Docs.Tests;

/// <summary>The tables of options say what the code does.</summary>
public sealed class OptionsTableTests
{
    public static TheoryData<string> Options
        => [.. typeof(TransactionPoolingOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite).Select(property => property.Name)];

    [Theory]
    [MemberData(nameof(Options))]
    public void Configuration_ListsEveryOption_WithItsDefault(string option)
    {
        var cells = Row("docs/configuration.md", option) ?? throw new InvalidOperationException($"docs/configuration.md has no row for {option}.");

        Assert.StartsWith(Default(option), cells[2].Trim('`'), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Readme_IfItListsAnOption_GivesItsDefault(string option)
    {
        if (Row("README.md", option) is { } cells)
        {
            Assert.Equal(Default(option), cells[1].Trim('`'));
        }
    }

    [Theory]
    [InlineData("docs/configuration.md")]
    [InlineData("README.md")]
    public void Tables_NameNoOptionThatDoesNotExist(string file)
    {
        var documented = Rows(file).Select(cells => cells[0].Trim('`')).ToArray();

        Assert.NotEmpty(documented);
        Assert.Empty(documented.Except(Options.Select(row => row.Data)));
    }

    [Fact]
    public void Errors_ListsEveryPublicException()
    {
        var errors = Documentation.Read("docs/errors.md");
        var exceptions = new[] { typeof(TransactionPoolingOptions).Assembly, typeof(Core.PoolOptions).Assembly, typeof(Microsoft.EntityFrameworkCore.TransactionPoolingDatabaseFacadeExtensions).Assembly }
            .SelectMany(assembly => assembly.GetExportedTypes())
            .Where(type => type.IsAssignableTo(typeof(Exception)));

        Assert.All(exceptions, type => Assert.Contains($"`{type.Name}`", errors, StringComparison.Ordinal));
    }

    private static string[]? Row(string file, string option) => Rows(file).FirstOrDefault(cells => cells[0] == $"`{option}`");

    // The rows of the table whose first column is headed "option".
    private static IEnumerable<string[]> Rows(string file)
        => Documentation.Read(file).Split('\n')
            .SkipWhile(line => !line.StartsWith("| option |", StringComparison.Ordinal))
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries));

    private static string Default(string option)
    {
        var value = typeof(TransactionPoolingOptions).GetProperty(option)!.GetValue(new TransactionPoolingOptions());
        return value switch
        {
            null => "",
            IReadOnlyList<string> { Count: 0 } => "none",
            bool flag => flag ? "true" : "false",
            TimeSpan { TotalHours: >= 1 } time => $"{time.TotalHours:0} h",
            TimeSpan time => $"{time.TotalSeconds:0} s",
            _ => value.ToString()!,
        };
    }
}
