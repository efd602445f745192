using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0015: a connection, transaction, command, batch or reader of the pool is cast to Npgsql's class. <c>is</c> and <c>as</c> ask first, so they are silent, unless
/// the answer is not looked at, or can only be an exception.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class DowncastAnalyzer() : PoolingAnalyzer(Descriptors.Downcast)
{
    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
    {
        if (symbols.PooledDataSource is not null)
        {
            context.RegisterOperationAction(operation => CheckCast(operation, symbols), OperationKind.Conversion);
            context.RegisterOperationAction(operation => CheckQuestion(operation, symbols), OperationKind.IsPattern);
        }
    }

    private static void CheckCast(OperationAnalysisContext context, KnownSymbols symbols)
    {
        var conversion = (IConversionOperation)context.Operation;
        if (conversion.IsImplicit || WhatIs(conversion.Type, symbols) is not { } what
            || (conversion.IsTryCast ? !IsUsedUnasked(conversion) : IsTested(conversion)) || !PooledObjects.Are(conversion.Operand, symbols))
        {
            return;
        }

        Report(context, what, conversion.Type!, conversion.IsTryCast ? "is null here and throws NullReferenceException" : "throws InvalidCastException");
    }

    // if (connection is not NpgsqlConnection own) throw …;
    private static void CheckQuestion(OperationAnalysisContext context, KnownSymbols symbols)
    {
        var question = (IIsPatternOperation)context.Operation;
        if (question is { Pattern: INegatedPatternOperation { Pattern: var pattern }, Parent: IConditionalOperation choice } && choice.Condition == question && Throws(choice.WhenTrue)
            && TypeOf(pattern) is { } type && WhatIs(type, symbols) is { } what && PooledObjects.AreHere(question.Value, symbols))
        {
            Report(context, what, type, "always throws");
        }
    }

    private static void Report(OperationAnalysisContext context, string what, ITypeSymbol type, string consequence)
        => context.ReportDiagnostic(Diagnostic.Create(Descriptors.Downcast, context.Operation.Syntax.GetLocation(), what, type.Name, consequence));

    private static ITypeSymbol? TypeOf(IPatternOperation pattern) => pattern switch
    {
        IDeclarationPatternOperation declaration => declaration.MatchedType,
        ITypePatternOperation type => type.MatchedType,
        _ => null,
    };

    private static bool Throws(IOperation branch) => branch switch
    {
        IBlockOperation { Operations: { Length: 1 } operations } => Throws(operations[0]),
        IExpressionStatementOperation statement => Throws(statement.Operation),
        IThrowOperation => true,
        _ => false,
    };

    // A class of Npgsql's.
    private static string? WhatIs(ITypeSymbol? type, KnownSymbols symbols)
        => type is not INamedTypeSymbol { TypeKind: TypeKind.Class, ContainingNamespace: { Name: "Npgsql", ContainingNamespace.IsGlobalNamespace: true } } ? null
            : type.InheritsFrom(symbols.DbConnection) ? "connection"
            : type.InheritsFrom(symbols.DbTransaction) ? "transaction"
            : type.InheritsFrom(symbols.DbCommand) ? "command"
            : type.InheritsFrom(symbols.DbBatch) ? "batch"
            : type.InheritsFrom(symbols.DbDataReader) ? "reader"
            : null;

    // Something in the member asks the same object what it is.
    private static bool IsTested(IConversionOperation conversion)
    {
        var (subject, type) = ((conversion.Syntax as CastExpressionSyntax)?.Expression.ToString(), conversion.Type!.Name);
        return Assignments.MemberOf(conversion.Syntax).DescendantNodes().Any(node => node switch
        {
            BinaryExpressionSyntax { RawKind: (int)Microsoft.CodeAnalysis.CSharp.SyntaxKind.IsExpression } test => test.Left.ToString() == subject && Says(test.Right, type),
            IsPatternExpressionSyntax test => test.Expression.ToString() == subject && Says(test.Pattern, type),
            SwitchStatementSyntax choice => choice.Expression.ToString() == subject && choice.Sections.Any(section => section.Labels.Any(label => Says(label, type))),
            SwitchExpressionSyntax choice => choice.GoverningExpression.ToString() == subject && choice.Arms.Any(arm => Says(arm.Pattern, type)),
            _ => false,
        });
    }

    private static bool Says(SyntaxNode node, string type) => node.DescendantNodesAndSelf().Any(name => name is IdentifierNameSyntax { Identifier.ValueText: var text } && text == type);

    // (x as NpgsqlConnection)!.ReloadTypes(), also through a local that nobody compares with null.
    private static bool IsUsedUnasked(IConversionOperation conversion)
    {
        IOperation value = conversion;
        while (value.Parent is IParenthesizedOperation or IConversionOperation { IsImplicit: true })
        {
            value = value.Parent;
        }

        return IsInstance(value)
            || (value.Parent is IVariableInitializerOperation { Parent: IVariableDeclaratorOperation { Symbol: var local } } && !Assignments.MayBeReassigned(local)
                && MemberOperations.Of(conversion).UsesOf(local) is { Count: > 0 } uses && uses.All(IsInstance));
    }

    private static bool IsInstance(IOperation value)
        => value.Parent is IInvocationOperation call ? call.Instance == value : value.Parent is IPropertyReferenceOperation property && property.Instance == value;
}
