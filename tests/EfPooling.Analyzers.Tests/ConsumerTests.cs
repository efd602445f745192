namespace EfPooling.Analyzers.Tests;

/// <summary>What a user of the packages gets, with a project that makes every mistake.</summary>
public sealed class ConsumerTests
{
    [Fact]
    public async Task Package_BringsEveryRule_AndNoDependency()
    {
        using var consumer = new Consumer();
        await consumer.CreateAsync();

        var (files, description, _, _) = consumer.ReadPackage();
        Assert.Contains("analyzers/dotnet/cs/EfPooling.Analyzers.dll", files);
        Assert.Contains("analyzers/dotnet/cs/EfPooling.Analyzers.CodeFixes.dll", files);
        Assert.Contains("build/EfPooling.EntityFrameworkCore.props", files);
        Assert.Contains("buildTransitive/EfPooling.EntityFrameworkCore.props", files);
        Assert.Equal(1, files.Count(file => file.StartsWith("lib/", StringComparison.Ordinal) && file.EndsWith(".dll", StringComparison.Ordinal)));
        Assert.DoesNotContain("CodeAnalysis", description, StringComparison.Ordinal);
        Assert.DoesNotContain("EfPooling.Analyzers", description, StringComparison.Ordinal);

        var warnings = await consumer.BuildAsync();
        Snapshots.Verify(string.Join('\n', warnings));
        Assert.Equal(
            Analysis.AllAnalyzers().SelectMany(analyzer => analyzer.SupportedDiagnostics).Select(rule => rule.Id).Distinct().Order(StringComparer.Ordinal),
            warnings.Select(warning => warning.Split("warning ")[1][..7]).Order(StringComparer.Ordinal));

        Assert.Empty(await consumer.BuildAsync("-p:EfpTransactionPooling=false", "--no-restore"));
    }
}
