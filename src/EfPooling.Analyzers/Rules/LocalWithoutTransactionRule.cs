using EfPooling.AdoNet.Sql;
using EfPooling.Analyzers.Sql;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0013: <c>SET LOCAL</c> and its kin in <c>ConnectionOpened</c> of an interceptor. Silent in an assembly that uses ambient
/// transactions, under which there may be one already, and in a method that begins one.
/// </summary>
internal sealed class LocalWithoutTransactionRule() : SqlRule(Descriptors.LocalWithoutTransaction)
{
    private static readonly WordTable Locks = new("pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared");

    public override bool Concerns(SqlUse use)
        => use.Member is IMethodSymbol { Name: "ConnectionOpened" or "ConnectionOpenedAsync", IsOverride: true } method
            && method.ContainingType.InheritsFrom(KnownSymbols.Of(use.Compilation).ConnectionInterceptor)
            && !use.Script.Statements.Any(statement => statement.Kind is not (StatementKind.SetLocal or StatementKind.Select))
            && !Mentions(use.Sink.Operation.Syntax.FirstAncestorOrSelf<Microsoft.CodeAnalysis.CSharp.Syntax.MemberDeclarationSyntax>()!, "BeginTransaction")
            && !CompilationNames.Has(use.Compilation, "TransactionScope") && !CompilationNames.Has(use.Compilation, "EnlistTransaction");

    public override void Check(SqlUse use, SqlScriptStatement statement)
    {
        var tokens = use.Script.Tokens;
        if (statement.Kind == StatementKind.SetLocal && tokens.Is(statement.First + 1, "LOCAL"))
        {
            use.Report(Descriptor, statement.First, statement.First + 2, null, use.Script.Summary(statement.First, statement.End));
        }

        for (var i = statement.First; i < statement.End && statement.Kind == StatementKind.Select; i++)
        {
            var isCall = tokens.IsName(i) && tokens.Is(i + 1, '(');
            if (isCall && (Locks.Contains(tokens.Name(i)) || (tokens.Name(i) == "set_config" && IsLocal(use, statement, i))))
            {
                var end = tokens.Close(i + 1) + 1;
                use.Report(Descriptor, i, end, null, use.Script.Summary(i, end));
            }
        }
    }

    // The classifier has found no change of the session, and nothing stands there that it cannot read.
    private static bool IsLocal(SqlUse use, SqlScriptStatement statement, int call)
        => (statement.Effects & (SessionEffects.Settings | SessionEffects.UnnamedSettings)) == 0
            && use.Script.Tokens.Is(use.Script.Tokens.Close(call + 1) - 1, "TRUE");

    private static bool Mentions(SyntaxNode node, string text) => node.GetText().ToString().Contains(text);
}
