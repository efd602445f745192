using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>The elements of one array, collection expression or collection initialiser.</summary>
internal static class Siblings
{
    /// <summary>All of them, in the order in which they are evaluated; none if the operation is no element.</summary>
    public static IEnumerable<IOperation> Of(IOperation element) => element.Parent switch
    {
        IArrayInitializerOperation array => array.ElementValues,
        ICollectionExpressionOperation collection => collection.Elements,
        IArgumentOperation { Parent: IInvocationOperation { Parent: IObjectOrCollectionInitializerOperation initializer } }
            => initializer.Initializers.OfType<IInvocationOperation>().Where(add => add.Arguments.Length == 1).Select(add => add.Arguments[0].Value),
        _ => [],
    };
}
