using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Symbols;

/// <summary>Follows an object of ADO.NET back to where the pool hands it out: a context, an interceptor, the pool itself.</summary>
internal static class PooledObjects
{
    private const int MaxSteps = 20;
    private const int MaxCallers = 3;

    /// <summary>Whether the object is surely one of the pool's, and so none of Npgsql's.</summary>
    public static bool Are(IOperation value, KnownSymbols symbols) => Are(value, symbols, MaxCallers);

    /// <summary>The same by what the member itself shows: what its callers pass does not count.</summary>
    public static bool AreHere(IOperation value, KnownSymbols symbols) => Are(value, symbols, callers: 0);

    private static bool Are(IOperation value, KnownSymbols symbols, int callers)
    {
        IOperation? current = value;
        for (var i = 0; i < MaxSteps && current is not null; i++)
        {
            switch (current)
            {
                case IConversionOperation { IsTryCast: false } conversion:
                    current = conversion.Operand;
                    break;
                case IParenthesizedOperation parenthesized:
                    current = parenthesized.Operand;
                    break;
                case IAwaitOperation awaited:
                    current = awaited.Operation;
                    break;
                case ILocalReferenceOperation local when local.Local.IsUsing || !Assignments.MayBeReassigned(local.Local):
                    current = LocalValues.InitialValue(local.Local, local);
                    break;
                case IPropertyReferenceOperation { Property: { Name: "Connection" or "Transaction", ContainingType: var type }, Instance: { } instance } property when symbols.IsCommand(type) || symbols.IsTransaction(type) || type.InheritsFrom(symbols.DbBatch):
                    if (symbols.IsNpgsqls(property.Type))
                    {
                        return false;
                    }

                    if (instance is IParameterReferenceOperation { Parameter.Type: var given } && symbols.IsTransaction(given) && callers > 0 && IsPassedByAll((IParameterReferenceOperation)instance, argument => Are(argument, symbols, callers - 1)))
                    {
                        return true;
                    }

                    current = instance;
                    break;
                case IPropertyReferenceOperation { Property: { Name: "Connection" or "Command" or "Transaction", ContainingType: { ContainingNamespace: { Name: "Diagnostics", ContainingNamespace.Name: "EntityFrameworkCore" } } } }:
                    return true; // What an interceptor is told.
                case IParameterReferenceOperation { Parameter: { ContainingSymbol: IMethodSymbol method } parameter }:
                    return Interceptors.IsOne(method.ContainingType, symbols) && method.MethodKind is MethodKind.Ordinary or MethodKind.ExplicitInterfaceImplementation
                        && parameter.Type.ContainingNamespace?.ToDisplayString() == "System.Data.Common" && IsOfInterceptor(method, symbols);
                case IInvocationOperation call:
                    if (IsHandedOut(call, symbols) is { } isPooled)
                    {
                        return isPooled;
                    }

                    current = DbOperations.OwnerOf(call);
                    break;
                default:
                    return false;
            }
        }

        return false;
    }

    // A parameter of a private method that is only ever called, and what each call passes for it is wanted.
    private static bool IsPassedByAll(IParameterReferenceOperation reference, Func<IOperation, bool> isWanted)
    {
        if (reference is not { Parameter: { ContainingSymbol: IMethodSymbol { MethodKind: MethodKind.Ordinary, DeclaredAccessibility: Accessibility.Private } method } parameter, SemanticModel.Compilation: { } compilation }
            || Assignments.MayBeReassigned(parameter))
        {
            return false;
        }

        var mentions = method.ContainingType.DeclaringSyntaxReferences.SelectMany(part => part.GetSyntax().DescendantNodes())
            .OfType<SimpleNameSyntax>().Where(name => name.Identifier.ValueText == method.Name).ToList();
        return mentions.Count > 0 && mentions.TrueForAll(mention => ArgumentOf(mention) is { } argument && isWanted(argument));

        IOperation? ArgumentOf(SimpleNameSyntax mention)
        {
            var called = mention.Parent is MemberAccessExpressionSyntax access && access.Name == mention ? access : (ExpressionSyntax)mention;
            return called.Parent is InvocationExpressionSyntax call && call.Expression == called
                && compilation.GetSemanticModel(call.SyntaxTree).GetOperation(call) is IInvocationOperation { TargetMethod: var target, Arguments: var arguments }
                && SymbolEqualityComparer.Default.Equals(target.OriginalDefinition, method.OriginalDefinition)
                    ? arguments.FirstOrDefault(argument => argument.Parameter?.Ordinal == parameter.Ordinal)?.Value
                    : null;
        }
    }

    // Null: a part of what it is called on.
    private static bool? IsHandedOut(IInvocationOperation call, KnownSymbols symbols)
    {
        var (method, type) = (call.TargetMethod, call.TargetMethod.ContainingType);
        return type.Is(symbols.RelationalFacadeExtensions) && method.Name == "GetDbConnection" ? symbols.Roots.Of(call).Origin == ConnectionOrigin.Shared
            : type.Is(symbols.DbContextTransactionExtensions) && method.Name == "GetDbTransaction" ? symbols.Roots.Of(call).Origin == ConnectionOrigin.Shared
            : type.InheritsFrom(symbols.PooledDataSource) && method.Name is "OpenConnection" or "OpenConnectionAsync" or "CreateConnection" or "CreateCommand" ? true
            : symbols.IsConnection(type) && method.Name is "CreateCommand" or "CreateBatch" or "BeginTransaction" or "BeginTransactionAsync" && !symbols.IsNpgsqls(type) ? null
            : (symbols.IsCommand(type) || type.InheritsFrom(symbols.DbBatch)) && method.Name is "ExecuteReader" or "ExecuteReaderAsync" && !symbols.IsNpgsqls(type) ? null
            : method.Name is "ConfigureAwait" ? null
            : false;
    }

    // Not a helper of the interceptor's own.
    private static bool IsOfInterceptor(IMethodSymbol method, KnownSymbols symbols)
        => method.ExplicitInterfaceImplementations.Length > 0 || method.IsOverride
            || new[] { symbols.ConnectionInterceptor, symbols.CommandInterceptor, symbols.TransactionInterceptor }.Any(contract => contract?.GetMembers(method.Name).Length > 0);
}
