using System.Data.Common;
using EfPooling.Analyzers.Sql;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0017: a constant connection string with <c>Pooling=false</c> or <c>Multiplexing=true</c>, given to a pool in the same piece of code.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ConflictingOptionsAnalyzer() : PoolingAnalyzer(Descriptors.ConflictingOptions)
{
    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
    {
        if (symbols.PooledDataSource is not null)
        {
            context.RegisterOperationAction(operation => Check(operation, symbols), OperationKind.Invocation);
        }
    }

    private static void Check(OperationAnalysisContext context, KnownSymbols symbols)
    {
        var invocation = (IInvocationOperation)context.Operation;
        var type = invocation.TargetMethod.ContainingType;
        var isPool = type.Is(symbols.PoolingServices) || type.Is(symbols.PooledDataSource);
        if (!isPool && !(type.Is(symbols.NpgsqlOptionsExtensions) && IsPooledHere(invocation.Syntax)))
        {
            return;
        }

        var argument = invocation.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == "connectionString" && argument.ArgumentKind == ArgumentKind.Explicit);
        if (argument is not null && SqlSourceReader.Read(argument.Value, isParameterised: false) is { Text: var text } && text.IndexOf(SqlSource.Hole) < 0 && Conflict(text) is { } keyword)
        {
            context.ReportDiagnostic(Diagnostic.Create(Descriptors.ConflictingOptions, argument.Value.Syntax.GetLocation(), keyword));
        }
    }

    private static bool IsPooledHere(SyntaxNode node) => PoolingMentions.AreAround(node, node.FirstAncestorOrSelf<AnonymousFunctionExpressionSyntax>() ?? Assignments.MemberOf(node));

    private static string? Conflict(string connectionString)
    {
        var keywords = new DbConnectionStringBuilder();
        try
        {
            keywords.ConnectionString = connectionString;
        }
        catch (ArgumentException)
        {
            return null; // Not our subject.
        }

        return Says(keywords, "Pooling", false) ? "Pooling=false" : Says(keywords, "Multiplexing", true) ? "Multiplexing=true" : null;
    }

    private static bool Says(DbConnectionStringBuilder keywords, string name, bool value)
        => keywords.TryGetValue(name, out var given) && bool.TryParse(given?.ToString(), out var flag) && flag == value;
}
