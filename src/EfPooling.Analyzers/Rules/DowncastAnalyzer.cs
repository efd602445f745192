using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0015: a cast of <c>GetDbConnection()</c> or <c>GetDbTransaction()</c> to Npgsql's class. <c>is</c> and <c>as</c> ask first, so they are silent.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class DowncastAnalyzer() : PoolingAnalyzer(Descriptors.Downcast)
{
    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
    {
        if (symbols.PooledDataSource is not null)
        {
            context.RegisterOperationAction(operation => Check(operation, symbols), OperationKind.Conversion);
        }
    }

    private static void Check(OperationAnalysisContext context, KnownSymbols symbols)
    {
        var conversion = (IConversionOperation)context.Operation;
        if (conversion.IsImplicit || conversion.IsTryCast || !symbols.IsNpgsqls(conversion.Type) || Source(conversion.Operand) is not { } call
            || IsTested(conversion))
        {
            return;
        }

        var what = call.TargetMethod.ContainingType.Is(symbols.RelationalFacadeExtensions) && call.TargetMethod.Name == "GetDbConnection" ? "connection"
            : call.TargetMethod.ContainingType.Is(symbols.DbContextTransactionExtensions) && call.TargetMethod.Name == "GetDbTransaction" ? "transaction"
            : null;
        if (what is not null && symbols.Roots.Of(call).Origin == ConnectionOrigin.Shared)
        {
            context.ReportDiagnostic(Diagnostic.Create(Descriptors.Downcast, conversion.Syntax.GetLocation(), what, conversion.Type!.Name));
        }
    }

    // Something in the member asks what it is.
    private static bool IsTested(IConversionOperation conversion)
        => Assignments.MemberOf(conversion.Syntax).DescendantNodes().Any(node => node is BinaryExpressionSyntax { RawKind: (int)SyntaxKind.IsExpression } or IsPatternExpressionSyntax or SwitchLabelSyntax or SwitchExpressionArmSyntax
            && node.DescendantNodes().Any(name => name is IdentifierNameSyntax { Identifier.ValueText: var text } && text == conversion.Type!.Name));

    // The call itself, or the one that a local holds and is never assigned again.
    private static IInvocationOperation? Source(IOperation operand) => operand switch
    {
        IConversionOperation { IsImplicit: true } conversion => Source(conversion.Operand),
        IParenthesizedOperation parenthesized => Source(parenthesized.Operand),
        IInvocationOperation invocation => invocation,
        ILocalReferenceOperation local when !Assignments.MayBeReassigned(local.Local) => LocalValues.InitialValue(local.Local, local) as IInvocationOperation,
        _ => null,
    };
}
