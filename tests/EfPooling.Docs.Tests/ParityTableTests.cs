using System.ComponentModel;
using System.Reflection;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace EfPooling.Docs.Tests;

/// <summary>Every setting of Npgsql and of its provider has a row that says what it means here.</summary>
public sealed class ParityTableTests
{
    private const string File = "docs/parity.md";

    [Fact]
    public void EveryKeyword_HasARow()
        => Verify("keyword", typeof(NpgsqlConnectionStringBuilder).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Select(property => property.GetCustomAttribute<DisplayNameAttribute>()?.DisplayName)
            .OfType<string>());

    [Fact]
    public void EveryMemberOfTheBuilder_HasARow() => Verify("member", Members(typeof(NpgsqlDataSourceBuilder)));

    [Fact]
    public void EveryOptionOfTheProvider_HasARow() => Verify("option", Members(typeof(NpgsqlDbContextOptionsBuilder)));

    private static IEnumerable<string> Members(Type type)
        => type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(member => member is PropertyInfo or MethodInfo { IsSpecialName: false })
            .Where(member => member.GetCustomAttribute<ObsoleteAttribute>() is null)
            .Select(member => member.Name);

    private static void Verify(string head, IEnumerable<string> names)
    {
        var rows = Documentation.Read(File).Split('\n')
            .SkipWhile(line => !line.StartsWith($"| {head} |", StringComparison.Ordinal))
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))
            .ToDictionary(cells => cells[0].Trim('`'), cells => cells[1]);

        var known = names.Distinct().ToList();
        Assert.NotEmpty(known);
        Assert.Empty(known.Except(rows.Keys));
        Assert.DoesNotContain("", rows.Values);
    }
}
