using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Sql;

/// <summary>A rule about SQL text. <see cref="SqlRulesAnalyzer"/> finds the texts once for all of them.</summary>
internal abstract class SqlRule(DiagnosticDescriptor descriptor)
{
    public DiagnosticDescriptor Descriptor { get; } = descriptor;

    /// <summary>Whether the rule has anything to say about SQL at this place.</summary>
    public abstract bool Concerns(SqlUse use);

    /// <summary>Reports what is wrong with one statement.</summary>
    public abstract void Check(SqlUse use, SqlScriptStatement statement);
}
