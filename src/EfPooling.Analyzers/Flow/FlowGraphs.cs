using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>The control flow graphs of a body and of the functions in it, made when they are asked for. One thread only.</summary>
internal sealed class FlowGraphs(Func<ControlFlowGraph> create)
{
    private readonly Dictionary<IOperation, FlowGraph?> _inner = [];
    private FlowGraph? _outer; // made once

    /// <summary>The graph of the innermost function around an operation; null if it has none, in code that does not compile.</summary>
    public FlowGraph? Of(IOperation operation)
    {
        for (var parent = operation.Parent; parent is not null; parent = parent.Parent)
        {
            if (parent is IAnonymousFunctionOperation or ILocalFunctionOperation)
            {
                if (!_inner.TryGetValue(parent, out var graph))
                {
                    graph = Of(parent)?.Inner(parent);
                    _inner.Add(parent, graph);
                }

                return graph;
            }
        }

        return _outer ??= create() is { } created ? new FlowGraph(created) : null;
    }
}
