using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>Tells whether code disposes of the context or connection that it works on, so that it is its own.</summary>
internal static class Ownership
{
    /// <param name="root">The context or connection.</param>
    /// <param name="code">A body, or a function in it.</param>
    public static bool IsDisposedOf(Root root, IOperation code)
        => root.Symbol is ILocalSymbol { IsUsing: true }
            || (root.Symbol is ILocalSymbol or IParameterSymbol && code.DescendantsAndSelf().Any(operation => IsMention(operation, root.Symbol) && IsDisposed(operation)));

    /// <summary>Whether a context comes from a scope that the member disposes of: the container disposes of it then.</summary>
    /// <param name="root">The context.</param>
    /// <param name="body">The member.</param>
    public static bool EndsWithScope(Root root, FlowBody body)
        => root.Symbol is ILocalSymbol local && MemberOperations.Of(body.Block).InitialValue(local)?.DescendantsAndSelf().Any(operation
            => operation is ILocalReferenceOperation { Local: { IsUsing: true, Type.Name: "IServiceScope" or "AsyncServiceScope" } }) == true;

    private static bool IsMention(IOperation operation, ISymbol symbol) => operation switch
    {
        ILocalReferenceOperation reference => SymbolEqualityComparer.Default.Equals(reference.Local, symbol),
        IParameterReferenceOperation reference => SymbolEqualityComparer.Default.Equals(reference.Parameter, symbol),
        _ => false,
    };

    // using (x), using var y = x, also with ConfigureAwait; x.Dispose(), x?.DisposeAsync()
    private static bool IsDisposed(IOperation value)
    {
        for (var parent = value.Parent; parent is not null; parent = parent.Parent)
        {
            switch (parent)
            {
                case IUsingOperation or IUsingDeclarationOperation:
                case IInvocationOperation { TargetMethod.Name: "Dispose" or "DisposeAsync" }:
                    return true;
                case IInvocationOperation { TargetMethod.Name: "ConfigureAwait" } or IConversionOperation or IArgumentOperation:
                case IVariableInitializerOperation or IVariableDeclaratorOperation or IVariableDeclarationOperation or IVariableDeclarationGroupOperation:
                    continue;
                case IConditionalAccessOperation { WhenNotNull: IInvocationOperation { TargetMethod.Name: "Dispose" or "DisposeAsync" } }:
                    return true;
                default:
                    return false;
            }
        }

        return false;
    }
}
