using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0011: an operation on what a loop is reading rows from, or before a reader in a local has been closed.</summary>
internal sealed class CommandDuringReaderRule() : FlowRule(Descriptors.CommandDuringReader)
{
    public override void Check(FlowBody body)
    {
        if (!body.Symbols.Known.HasNpgsql)
        {
            return; // SQL Server may have several readers open.
        }

        var reported = new HashSet<SyntaxNode>();
        foreach (var operation in body.All)
        {
            if (operation is IForEachLoopOperation loop)
            {
                CheckLoop(loop, body, reported);
            }
            else if (operation is IInvocationOperation && body.TryGetOperation(operation, out var found))
            {
                CheckReader(found, body, reported);
            }
        }
    }

    private void CheckLoop(IForEachLoopOperation loop, FlowBody body, HashSet<SyntaxNode> reported)
    {
        if (OpenStream.RootOf(loop, body) is not { IsKnown: true } root)
        {
            return;
        }

        var function = body.FunctionOf(loop);
        foreach (var call in body.Within(loop.Syntax))
        {
            if (call is IInvocationOperation && loop.Body.Syntax.Span.Contains(call.Syntax.Span) && body.WorkOf(call) is { } work && body.FunctionOf(work.Call) == function && work.Root.IsSameAs(root))
            {
                if (!body.Symbols.AllowsNested && reported.Add(call.Syntax))
                {
                    body.Report(Descriptor, call.Syntax, loop.Syntax, work.Name, "the loop", root.Name());
                }

                return; // Reading the rows first has mended the others too.
            }
        }
    }

    // With the connection, its readers are closed.
    private static bool ClosesConnection(IOperation visited, Root root, FlowBody body)
        => body.Original(visited) is { TargetMethod.Name: "Close" or "CloseAsync" or "CloseConnection" or "CloseConnectionAsync" or "Dispose" or "DisposeAsync" } call
            && DbOperations.OwnerOf(call) is { } owner && body.RootOf(owner).IsSameAs(root);

    private void CheckReader(DbOperation operation, FlowBody body, HashSet<SyntaxNode> reported)
    {
        if (OpenReader.Of(operation, body) is not { } reader || body.RootOf(operation) is not { IsKnown: true } root
            || !body.Invocations.Any(other => other != operation.Invocation && body.WorkOf(other) is { } work && work.Root.IsSameAs(root)))
        {
            return;
        }

        body.WalkFrom(operation.Invocation)?.Run(
            visited =>
            {
                if (OpenReader.MayCloseAt(visited, reader) || ClosesConnection(visited, root, body))
                {
                    return false;
                }

                if (body.WorkOf(visited) is not { } second || !second.Root.IsSameAs(root))
                {
                    return true;
                }

                if (!body.Symbols.AllowsNested && reported.Add(second.Call.Syntax))
                {
                    body.Report(Descriptor, second.Call.Syntax, operation.Invocation.Syntax, second.Name, $"'{reader.Name}'", root.Name());
                }

                return false;
            },
            root.Symbol,
            reader);
    }
}
