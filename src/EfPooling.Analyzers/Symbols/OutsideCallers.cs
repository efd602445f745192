using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Symbols;

/// <summary>Tells whether code that the project does not show may call a member.</summary>
internal static class OutsideCallers
{
    /// <summary>Whether a framework may: the member overrides or implements one of another assembly, or has an attribute that may tell a framework of it.</summary>
    public static bool AreOfFramework(MemberDeclarationSyntax member, Compilation compilation)
        => member.AttributeLists.Count > 0
            || (compilation.GetSemanticModel(member.SyntaxTree).GetDeclaredSymbol(member) is { } symbol
                && ContractsOf(symbol).Any(contract => !SymbolEqualityComparer.Default.Equals(contract.ContainingAssembly, compilation.Assembly)));

    // What the member overrides or implements.
    private static IEnumerable<ISymbol> ContractsOf(ISymbol member)
    {
        for (var overridden = Overridden(member); overridden is not null; overridden = Overridden(overridden))
        {
            yield return overridden;
        }

        foreach (var contract in member.ContainingType?.AllInterfaces.SelectMany(type => type.GetMembers()) ?? [])
        {
            if (SymbolEqualityComparer.Default.Equals(member.ContainingType!.FindImplementationForInterfaceMember(contract), member))
            {
                yield return contract;
            }
        }
    }

    private static ISymbol? Overridden(ISymbol member) => member switch
    {
        IMethodSymbol method => method.OverriddenMethod,
        IPropertySymbol property => property.OverriddenProperty,
        IEventSymbol happening => happening.OverriddenEvent,
        _ => null,
    };
}
