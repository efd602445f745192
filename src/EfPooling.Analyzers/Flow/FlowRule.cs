using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Flow;

/// <summary>A rule about the order in which things run. <see cref="FlowRulesAnalyzer"/> walks the code once for all of them.</summary>
internal abstract class FlowRule(DiagnosticDescriptor descriptor)
{
    public DiagnosticDescriptor Descriptor { get; } = descriptor;

    /// <summary>Reports what is wrong in one body. Called concurrently for several bodies; must keep no state.</summary>
    public abstract void Check(FlowBody body);
}
