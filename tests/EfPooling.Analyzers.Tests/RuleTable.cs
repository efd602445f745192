using System.Text;
using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Tests;

/// <summary>Writes <c>docs/rules/README.md</c> from the descriptors.</summary>
internal static class RuleTable
{
    private const string Introduction =
        """
        # Rules

        The package `EfPooling.EntityFrameworkCore` brings analyzers for code that shares a context or a connection. They look at EF Core, ADO.NET,
        Npgsql and Dapper by symbol, leave generated code alone, and stay silent when in doubt: a rule that fires has seen the mistake.

        """;

    private const string Configuration =
        """

        ## Configuration

        In `.editorconfig`:

        ```ini
        dotnet_diagnostic.EFP0001.severity = error
        dotnet_analyzer_diagnostic.category-EfPooling.SessionState.severity = none
        ```

        Analyzers reach every project that references the one with the package. A project that does not use transaction pooling switches all rules off:

        ```xml
        <PropertyGroup>
          <EfpTransactionPooling>false</EfpTransactionPooling>
        </PropertyGroup>
        ```

        The links of the diagnostics lead to the address that the repository will have; these pages are the same.

        """;

    public static string Folder { get; } = Path.Combine(Repository.Root, "docs", "rules");

    public static string Render(IEnumerable<DiagnosticDescriptor> descriptors)
    {
        var text = new StringBuilder(Introduction);
        text.Append("\n| rule | title | category | severity | fix |\n|---|---|---|---|---|\n");
        var fixable = FixableIds();
        foreach (var rule in descriptors)
        {
            var severity = rule.IsEnabledByDefault ? rule.DefaultSeverity.ToString() : $"{rule.DefaultSeverity}, off";
            text.Append($"| [{rule.Id}]({rule.Id}.md) | {rule.Title} | `{rule.Category}` | {severity} | {(fixable.Contains(rule.Id) ? "yes" : "")} |\n");
        }

        return text.Append(Configuration).ToString().ReplaceLineEndings("\n");
    }

    private static HashSet<string> FixableIds() => [.. Analysis.AllFixes().SelectMany(fix => fix.FixableDiagnosticIds)];
}
