using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0018: a public method that returns <c>AsAsyncEnumerable()</c>, an unbuffered query or a reader on a context or connection that it does not own, or that
/// gives its caller row by row what it reads there (<c>yield return</c>).
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class EscapingStreamAnalyzer() : PoolingAnalyzer(Descriptors.EscapingStream)
{
    private const int MaxSteps = 20;

    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
    {
        context.RegisterOperationAction(operation => CheckReturn(operation, symbols), OperationKind.Return);
        context.RegisterOperationAction(operation => CheckYield(operation, symbols), OperationKind.YieldReturn);
    }

    private static void CheckReturn(OperationAnalysisContext context, KnownSymbols symbols)
    {
        if (MethodOf(context) is { } method && Call(((IReturnOperation)context.Operation).ReturnedValue) is { } call && IsStream(call, symbols))
        {
            Report(context, method, call, DbOperations.OwnerOf(call), symbols);
        }
    }

    private static void CheckYield(OperationAnalysisContext context, KnownSymbols symbols)
    {
        if (MethodOf(context) is not { } method)
        {
            return;
        }

        for (var outer = context.Operation.Parent; outer is not null; outer = outer.Parent)
        {
            var rows = outer switch
            {
                IForEachLoopOperation loop => OpenStream.SourceOf(loop.Collection, symbols),
                IWhileLoopOperation { Condition: { } condition } => ReaderIn(condition, symbols),
                _ => null,
            };
            if (rows is not null && IsFirstIn((ILoopOperation)outer, context.Operation))
            {
                Report(context, method, rows, DbOperations.OwnerOrSelf(rows, symbols), symbols);
                return;
            }
        }
    }

    // Of whatever the object was given, and that others use too.
    private static void Report(OperationAnalysisContext context, IMethodSymbol method, IOperation rows, IOperation? owner, KnownSymbols symbols)
    {
        var root = symbols.Roots.Of(owner);
        if (root.Symbol is IFieldSymbol or IPropertySymbol || (root.Symbol is IParameterSymbol && root.Symbol.ContainingSymbol is IMethodSymbol { MethodKind: MethodKind.Constructor }))
        {
            context.ReportDiagnostic(Diagnostic.Create(Descriptors.EscapingStream, rows.Syntax.GetLocation(), method.Name, root.Symbol.Name));
        }
    }

    private static IMethodSymbol? MethodOf(OperationAnalysisContext context)
        => context.ContainingSymbol is IMethodSymbol { DeclaredAccessibility: Accessibility.Public, MethodKind: MethodKind.Ordinary or MethodKind.PropertyGet } method && !IsInLambda(context.Operation) ? method : null;

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

    private static bool IsFirstIn(ILoopOperation loop, IOperation yield) => loop.Descendants().First(operation => operation.Kind == OperationKind.YieldReturn) == yield;

    // while (reader.Read()), of a reader that the member opens.
    private static IOperation? ReaderIn(IOperation condition, KnownSymbols symbols)
        => condition.Descendants().OfType<ILocalReferenceOperation>()
            .Select(local => Call(MemberOperations.Of(local).InitialValue(local.Local)))
            .FirstOrDefault(call => call is not null && symbols.Operations.TryGet(call, out var operation) && operation.Kind == DbOperationKind.Reader);

    // Through locals, and operators that pass on row after row.
    private static IInvocationOperation? Call(IOperation? value)
    {
        for (var i = 0; i < MaxSteps; i++)
        {
            switch (value)
            {
                case IConversionOperation conversion:
                    value = conversion.Operand;
                    break;
                case IAwaitOperation awaited:
                    value = awaited.Operation;
                    break;
                case ILocalReferenceOperation local when !local.Local.IsUsing:
                    value = MemberOperations.Of(local).InitialValue(local.Local);
                    break;
                case IInvocationOperation { TargetMethod.Name: "ConfigureAwait" or "WithCancellation" } configured:
                    value = DbOperations.OwnerOf(configured);
                    break;
                case IInvocationOperation { TargetMethod.ContainingType.Name: "AsyncEnumerable" } call when OpenStream.IsStreaming(call):
                    value = DbOperations.OwnerOf(call);
                    break;
                default:
                    return value as IInvocationOperation;
            }
        }

        return null;
    }

    private static bool IsStream(IInvocationOperation call, KnownSymbols symbols)
        => (call.TargetMethod.Name == "AsAsyncEnumerable" && (call.TargetMethod.ContainingType.Is(symbols.QueryableExtensions) || call.TargetMethod.ContainingType.Is(symbols.DbSet)))
            || (symbols.Operations.TryGet(call, out var operation) && operation.Kind is DbOperationKind.Reader or DbOperationKind.Stream);
}
