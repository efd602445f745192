using System.Collections.Immutable;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Sql;

/// <summary>A SQL text in use: where it is handed over, on what it will run, what it says. One thread only.</summary>
internal sealed class SqlUse(SqlSink sink, SqlSource source, SqlScript script, RootAnalysis roots, ISymbol member, Compilation compilation, Action<Diagnostic> report, CancellationToken cancellation)
{
    private Root? _root; // found when it is asked for: most texts concern nobody
    private TransactionState? _transaction; // likewise

    public SqlSink Sink { get; } = sink;

    public SqlSource Source { get; } = source;

    public SqlScript Script { get; } = script;

    /// <summary>What it will run on.</summary>
    public Root Root => _root ??= roots.Of(Sink.Owner);

    public ConnectionOrigin Origin => Root.Origin;

    /// <summary>The member whose code it is in.</summary>
    public ISymbol Member { get; } = member;

    public Compilation Compilation { get; } = compilation;

    public CancellationToken Cancellation { get; } = cancellation;

    /// <summary>The session is another one for each command or transaction.</summary>
    public bool IsPooled => Origin is ConnectionOrigin.Shared or ConnectionOrigin.OpenedFromPool;

    /// <summary>What the member shows of a transaction around it.</summary>
    public TransactionState Transaction => _transaction ??= SurroundingTransaction.Of(this);

    /// <summary>There surely is a transaction: only then does a text that is written for one what it says.</summary>
    public bool IsInTransaction => Transaction == TransactionState.Inside;

    /// <summary>Reports tokens of the text.</summary>
    /// <param name="descriptor">The rule.</param>
    /// <param name="first">The first token.</param>
    /// <param name="end">The token behind the last one.</param>
    /// <param name="edit">The change that mends it, in places of the text. It is offered only where the text stands in the call itself.</param>
    /// <param name="arguments">For the message.</param>
    public void Report(DiagnosticDescriptor descriptor, int first, int end, (int Start, int End, string Replacement)? edit, params object[] arguments)
    {
        var tokens = Script.Tokens;
        var location = Source.LocationOf(tokens[first].Start, tokens[end - 1].End);
        var properties = edit is { } change && Source.SpanOf(change.Start, change.End) is { } span
            ? SqlEdit.Encode(location.SourceSpan, span, change.Replacement)
            : ImmutableDictionary<string, string?>.Empty;
        report(Diagnostic.Create(descriptor, location, properties, arguments));
    }
}
