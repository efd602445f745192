using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>Knows where code outside a body gets the chance to end a transaction that the body has begun. In doubt, it does.</summary>
internal static class HandOvers
{
    private static readonly string[] Ends = ["Commit", "Complete", "Rollback"];

    /// <summary>Libraries take a transaction, connection or context to run something, not to end what is open there.</summary>
    public static bool IsOfDatabase(ITypeSymbol? type)
        => type is { DeclaringSyntaxReferences.Length: 0 } && Namespaces(type) switch
        {
            ("Npgsql" or "Dapper" or "EfPooling", _) or ("Microsoft", "EntityFrameworkCore") or ("System", "Data") => true,
            _ => false,
        };

    /// <summary>
    /// Whether an operation may end the transaction on a context or connection by other means than those of the database libraries: it is named so,
    /// it gets the context or connection, or it is a method of a type that ends transactions somewhere.
    /// </summary>
    public static bool MayEnd(IOperation operation, Root root, FlowBody body) => operation switch
    {
        IInvocationOperation { IsImplicit: false } when body.TryGetOperation(operation, out _) => false,
        IInvocationOperation { IsImplicit: false, TargetMethod: var method } when IsOfDatabase(method.ContainingType) => false,
        IInvocationOperation { TargetMethod: var method } when method.ReturnType.IsOrImplements(body.Symbols.Known.IQueryableOfT) => false,
        IInvocationOperation { IsImplicit: false, TargetMethod: var method } => SaysSo(method)
            || (body.Original(operation) is { } call && (Gets(call.Arguments, root, body) || IsSame(call.Instance, root, body) || IsInherited(call, body)))
            || (IsNear(method, body) && TransactionScopes.EndsByFacade(body)),
        IObjectCreationOperation creation => !IsOfDatabase(creation.Type) && Gets((body.Original(creation) ?? creation).Arguments, root, body),
        _ => false,
    };

    /// <summary>Whether the type makes objects, or its own base, with the context or connection in a variable of the type: they may end what it begins.</summary>
    public static bool IsKeptByOthers(Root root, FlowBody body)
        => root.Symbol is IFieldSymbol or IPropertySymbol or IParameterSymbol
            && TransactionScopes.Nodes(body).Any(node => node is IdentifierNameSyntax { Parent: ArgumentSyntax { Parent.Parent: BaseObjectCreationExpressionSyntax or ConstructorInitializerSyntax or PrimaryConstructorBaseTypeSyntax } } name
                && name.Identifier.ValueText == root.Symbol.Name && !body.Block.Syntax.Span.Contains(name.Span));

    private static bool SaysSo(IMethodSymbol method) => Ends.Any(word => method.Name.IndexOf(word, StringComparison.Ordinal) >= 0);

    private static bool Gets(IEnumerable<IArgumentOperation> arguments, Root root, FlowBody body) => arguments.Any(argument => IsSame(argument.Value, root, body));

    private static bool IsSame(IOperation? value, Root root, FlowBody body)
        => value is not null && CanEnd(TaskUse.Inner(value).Type, body.Symbols.Known) && body.RootOf(value).IsSameAs(root);

    // A query cannot.
    private static bool CanEnd(ITypeSymbol? type, KnownSymbols known)
        => type.InheritsFrom(known.DbContext) || type.Is(known.DatabaseFacade) || known.IsConnection(type) || known.IsTransaction(type);

    // Of a base class that may have the same context, as those of the framework have not.
    private static bool IsInherited(IInvocationOperation call, FlowBody body)
        => call.Instance is IInstanceReferenceOperation && body.Owner.ContainingType is { } type
            && call.TargetMethod.ContainingType is { } declaring && !SymbolEqualityComparer.Default.Equals(declaring.OriginalDefinition, type.OriginalDefinition)
            && Namespaces(declaring).Outer is not ("System" or "Microsoft");

    // The outermost namespace, and the one in it: names as text would be made for each call of each method.
    private static (string? Outer, string? Inner) Namespaces(ITypeSymbol? type)
    {
        var (outer, inner) = ((string?)null, (string?)null);
        for (var space = type?.ContainingNamespace; space is { IsGlobalNamespace: false }; space = space.ContainingNamespace)
        {
            (outer, inner) = (space.Name, outer);
        }

        return (outer, inner);
    }

    private static bool IsNear(IMethodSymbol method, FlowBody body)
        => method.MethodKind is MethodKind.LocalFunction or MethodKind.DelegateInvoke
            || SymbolEqualityComparer.Default.Equals(method.ContainingType.OriginalDefinition, body.Owner.ContainingType?.OriginalDefinition);
}
