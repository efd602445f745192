using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0018: a public method that returns <c>AsAsyncEnumerable()</c>, an unbuffered query or a reader on a context or connection that it does not own.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class EscapingStreamAnalyzer() : PoolingAnalyzer(Descriptors.EscapingStream)
{
    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
        => context.RegisterOperationAction(operation => Check(operation, symbols), OperationKind.Return);

    private static void Check(OperationAnalysisContext context, KnownSymbols symbols)
    {
        if (context.ContainingSymbol is not IMethodSymbol { DeclaredAccessibility: Accessibility.Public, MethodKind: MethodKind.Ordinary or MethodKind.PropertyGet } method
            || IsInLambda(context.Operation)
            || Call(((IReturnOperation)context.Operation).ReturnedValue) is not { } call
            || !IsStream(call, symbols))
        {
            return;
        }

        var root = symbols.Roots.Of(DbOperations.OwnerOf(call));
        if (root.Symbol is IFieldSymbol or IPropertySymbol || (root.Symbol is IParameterSymbol && root.Symbol.ContainingSymbol is IMethodSymbol { MethodKind: MethodKind.Constructor }))
        {
            context.ReportDiagnostic(Diagnostic.Create(Descriptors.EscapingStream, call.Syntax.GetLocation(), method.Name, root.Symbol.Name));
        }
    }

    private static bool IsInLambda(IOperation operation)
    {
        for (var parent = operation.Parent; parent is not null; parent = parent.Parent)
        {
            if (parent is IAnonymousFunctionOperation or ILocalFunctionOperation)
            {
                return true;
            }
        }

        return false;
    }

    private static IInvocationOperation? Call(IOperation? value) => value switch
    {
        IConversionOperation conversion => Call(conversion.Operand),
        IAwaitOperation awaited => Call(awaited.Operation),
        IInvocationOperation { TargetMethod.Name: "ConfigureAwait" } configured => Call(configured.Instance),
        IInvocationOperation invocation => invocation,
        _ => null,
    };

    private static bool IsStream(IInvocationOperation call, KnownSymbols symbols)
        => (call.TargetMethod.Name == "AsAsyncEnumerable" && (call.TargetMethod.ContainingType.Is(symbols.QueryableExtensions) || call.TargetMethod.ContainingType.Is(symbols.DbSet)))
            || (symbols.Operations.TryGet(call, out var operation) && operation.Kind is DbOperationKind.Reader or DbOperationKind.Stream);
}
