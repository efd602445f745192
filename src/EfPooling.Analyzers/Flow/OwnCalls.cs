using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>
/// Follows a call into a method of the same object, in the same file, or into a local function: whatever that does on the object's context or connection is done by
/// the call. One step only, and what the method does in lambdas or under a lock is left out.
/// </summary>
internal static class OwnCalls
{
    /// <summary>Cheap to ask: whether a call is of a method that may work on the object's context or connection.</summary>
    public static bool MayWork(IInvocationOperation call, FlowBody body)
        => IsOwn(call, body) && HoldersOf(call.TargetMethod.ContainingType, body.Symbols) is { Count: > 0 };

    /// <summary>What the method works on; unknown if it does nothing of the kind.</summary>
    public static Root RootOf(IInvocationOperation call, FlowBody body)
    {
        if (call.TargetMethod.MethodKind == MethodKind.LocalFunction)
        {
            return body.LocalFunction(call.TargetMethod.OriginalDefinition) is { } function ? FirstOutside(function, body) : Root.Unknown;
        }

        // Only what does not depend on who asks is remembered: the answer for another file is none.
        return IsOwn(call, body) && call.TargetMethod.OriginalDefinition.DeclaringSyntaxReferences[0].SyntaxTree == body.Model.SyntaxTree
            ? body.Symbols.WorkOfMethods.GetOrAdd(call.TargetMethod.OriginalDefinition, method => Read(method, body))
            : Root.Unknown;
    }

    private static bool IsOwn(IInvocationOperation call, FlowBody body)
        => call.Instance is IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ContainingTypeInstance }
            && call.TargetMethod is { MethodKind: MethodKind.Ordinary, IsAbstract: false, DeclaringSyntaxReferences.Length: > 0 } method
            && SymbolEqualityComparer.Default.Equals(method.ContainingType.OriginalDefinition, body.Owner.ContainingType?.OriginalDefinition);

    private static Root Read(IMethodSymbol method, FlowBody body)
        => method.DeclaringSyntaxReferences[0].GetSyntax() is MethodDeclarationSyntax declaration
            && MentionsHolder(declaration, method.ContainingType, body.Symbols) && !IsIterator(declaration) && body.BodyOf(declaration) is { } other
            && !SharedWork.IsSerialized(other.Block, other)
            ? First(other.Invocations.Where(inner => other.FunctionOf(inner) == other.Block), other, IsOfObject)
            : Root.Unknown;

    private static Root FirstOutside(ILocalFunctionOperation function, FlowBody body)
        => IsIterator(function.Syntax) || SharedWork.IsSerialized(function, body) ? Root.Unknown
            : First(body.Within(function.Syntax).OfType<IInvocationOperation>().Where(inner => body.FunctionOf(inner) == function), body, root => root.IsOutside(function.Syntax));

    private static Root First(IEnumerable<IInvocationOperation> calls, FlowBody body, Func<Root, bool> isWanted)
        => calls.Select(call => DbTask.Direct(call, body)?.Root ?? Root.Unknown).FirstOrDefault(root => root.IsKnown && isWanted(root));

    // The same object for every method.
    private static bool IsOfObject(Root root)
        => root.Symbol is IFieldSymbol or IPropertySymbol or INamedTypeSymbol or IParameterSymbol { ContainingSymbol: IMethodSymbol { MethodKind: MethodKind.Constructor } };

    private static bool MentionsHolder(SyntaxNode code, INamedTypeSymbol type, FlowSymbols symbols)
        => type.InheritsFrom(symbols.Known.DbContext) || HoldersOf(type, symbols).Overlaps(MentionedNames.In(code));

    private static bool IsIterator(SyntaxNode code) => code.DescendantNodes(node => node == code || node is not (LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax)).Any(node => node is YieldStatementSyntax);

    // The variables of an object, its base classes' included, in which there may be a context or connection; and its own name, if it is one.
    private static HashSet<string> HoldersOf(INamedTypeSymbol type, FlowSymbols symbols)
        => symbols.Holders.GetOrAdd(type.OriginalDefinition, known =>
        {
            var names = new HashSet<string>();
            for (ITypeSymbol? one = known; one is { SpecialType: not SpecialType.System_Object }; one = one.BaseType)
            {
                names.UnionWith(one.GetMembers().Where(member => symbols.Known.Holds(member.VariableType())).Select(member => member.Name));
                names.UnionWith(one is INamedTypeSymbol named ? named.InstanceConstructors.SelectMany(constructor => constructor.Parameters).Where(parameter => symbols.Known.Holds(parameter.Type)).Select(parameter => parameter.Name) : []);
            }

            if (known.InheritsFrom(symbols.Known.DbContext))
            {
                names.Add(known.Name);
            }

            return names;
        });
}
