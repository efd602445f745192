using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Symbols;

/// <summary>
/// Finds what a local is declared with by walking the operations that the analyzer has at hand: asking a semantic model for them would
/// bind the whole member once more.
/// </summary>
internal static class LocalValues
{
    /// <param name="local">The local.</param>
    /// <param name="near">An operation of the member that declares it.</param>
    /// <param name="model">For operations of a control flow graph, which have no parents.</param>
    /// <returns>The initial value, or what a pattern has matched. Null: there is none.</returns>
    public static IOperation? InitialValue(ILocalSymbol local, IOperation near, SemanticModel? model = null)
    {
        if (near.Parent is null && near.SemanticModel is null && model is not null && local.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() is { } declaration)
        {
            return model.SyntaxTree == declaration.SyntaxTree && model.GetOperation(declaration) is { } declared ? ValueOf(declared, local) : null;
        }

        return MemberOperations.Of(near).InitialValue(local);
    }

    private static IOperation? ValueOf(IOperation operation, ILocalSymbol local) => operation switch
    {
        IVariableDeclaratorOperation variable when SymbolEqualityComparer.Default.Equals(variable.Symbol, local)
            => (variable.Initializer ?? (variable.Parent as IVariableDeclarationOperation)?.Initializer)?.Value,
        IDeclarationPatternOperation { Parent: IIsPatternOperation test } pattern when SymbolEqualityComparer.Default.Equals(pattern.DeclaredSymbol, local) => test.Value,
        _ => null,
    };
}
