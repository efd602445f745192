namespace EfPooling.Analyzers.Tests;

/// <summary>One example of a rule.</summary>
/// <param name="Name">What it shows, as a sentence or part of one.</param>
/// <param name="Source">Statements, members or a whole file, with the expected diagnostics marked; see <see cref="TestSource"/>.</param>
/// <param name="Fixed">What all fixes together make of it. Null: it need only compile; equal to the source without marks: nothing is offered.</param>
internal sealed record RuleCase(string Name, string Source, string? Fixed = null)
{
    public bool Fires => Source.Contains("{|EFP", StringComparison.Ordinal);

    /// <summary>MSBuild properties (<c>build_property.X</c>) and <c>.editorconfig</c> entries.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    /// <summary>The start of the file name of an assembly that the source is compiled without.</summary>
    public string? Without { get; init; }

    /// <summary>How often Fix All must run until nothing is left to fix: more than once only where fixes lie within one another.</summary>
    public int Passes { get; init; } = 1;

    /// <summary>Whether the source is compiled with a test framework.</summary>
    public bool InTestProject { get; init; }

    /// <summary>Whether it is compiled as a program, which nobody outside it calls, and not as a library.</summary>
    public bool InProgram { get; init; }
}
