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

    /// <summary>Whether other projects may call anything of this one: it is a library.</summary>
    public static bool AreOf(Compilation compilation)
        => compilation.Options.OutputKind is not (OutputKind.ConsoleApplication or OutputKind.WindowsApplication or OutputKind.WindowsRuntimeApplication);

    /// <summary>Whether another project may call a member of a library: it is visible there, or something is that it overrides or implements.</summary>
    public static bool MayCall(ISymbol member) => IsVisible(member) || ContractsOf(member).Any(IsVisible);

    /// <inheritdoc cref="MayCall(ISymbol)"/>
    public static bool MayCall(MemberDeclarationSyntax member, Compilation compilation)
        => compilation.GetSemanticModel(member.SyntaxTree).GetDeclaredSymbol(member) is { } symbol && MayCall(symbol);

    private static bool IsVisible(ISymbol member)
    {
        for (var symbol = member; symbol is not (null or INamespaceSymbol); symbol = symbol.ContainingSymbol)
        {
            if (symbol.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal))
            {
                return false;
            }
        }

        return true;
    }

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
