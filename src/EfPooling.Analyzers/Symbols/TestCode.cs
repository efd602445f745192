using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Symbols;

/// <summary>Tells tests, which may do what the product should not.</summary>
internal static class TestCode
{
    private static readonly HashSet<string> Frameworks = new(StringComparer.OrdinalIgnoreCase)
    {
        "xunit.core", "xunit.v3.core", "nunit.framework", "Microsoft.VisualStudio.TestPlatform.TestFramework", "MSTest.TestFramework", "TUnit.Core",
    };

    /// <summary>The project references a test framework.</summary>
    public static bool IsTestProject(Compilation compilation) => compilation.ReferencedAssemblyNames.Any(assembly => Frameworks.Contains(assembly.Name));
}
