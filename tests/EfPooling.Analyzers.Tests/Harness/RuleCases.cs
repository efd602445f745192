using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Diagnostics;

namespace EfPooling.Analyzers.Tests;

/// <summary>All examples of one rule, and the analyzer and fix that they are about. The guard test and the fuzz test find them by reflection.</summary>
internal sealed class RuleCases(string id, Func<DiagnosticAnalyzer> analyzer, Func<CodeFixProvider>? fix = null)
{
    private readonly List<RuleCase> _cases = [];

    public string Id { get; } = id;

    public IReadOnlyList<RuleCase> All => _cases;

    /// <summary>For <c>[MemberData]</c>.</summary>
    public TheoryData<string> Names => [.. _cases.Select(item => item.Name)];

    /// <summary>The rule reports exactly what is marked.</summary>
    public RuleCases Fires(string name, string source, string? fixedSource = null) => Add(new RuleCase(name, source, fixedSource));

    /// <summary>The rule reports exactly what is marked, in a program.</summary>
    public RuleCases FiresInProgram(string name, string source) => Add(new RuleCase(name, source) { InProgram = true });

    /// <summary>The rule reports nothing, not even in a program.</summary>
    public RuleCases SilentInProgram(string name, string source) => Add(new RuleCase(name, source) { InProgram = true });

    /// <summary>The rule reports nothing.</summary>
    public RuleCases Silent(string name, string source) => Add(new RuleCase(name, source));

    public RuleCases Add(RuleCase item)
    {
        Assert.DoesNotContain(_cases, other => other.Name == item.Name);
        _cases.Add(item);
        return this;
    }

    /// <summary>Runs one example, its fix included.</summary>
    public Task VerifyAsync(string name)
    {
        var item = _cases.Single(item => item.Name == name);
        return RuleVerifier.VerifyAsync(this, item, analyzer(), fix?.Invoke());
    }

    public DiagnosticAnalyzer CreateAnalyzer() => analyzer();
}
