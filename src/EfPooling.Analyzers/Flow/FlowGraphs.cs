using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>The control flow graphs of a body and of the functions in it, made when they are asked for.</summary>
internal sealed class FlowGraphs(Func<ControlFlowGraph> create)
{
    private ControlFlowGraph? _outer;

    /// <summary>The graph of the innermost function around an operation; null if it has none, in code that does not compile.</summary>
    public ControlFlowGraph? Of(IOperation operation)
    {
        var functions = new Stack<IOperation>();
        for (var parent = operation.Parent; parent is not null; parent = parent.Parent)
        {
            if (parent is IAnonymousFunctionOperation or ILocalFunctionOperation)
            {
                functions.Push(parent);
            }
        }

        var graph = _outer ??= create();
        while (graph is not null && functions.Count > 0)
        {
            graph = Inner(graph, functions.Pop());
        }

        return graph;
    }

    private static ControlFlowGraph? Inner(ControlFlowGraph graph, IOperation function)
    {
        if (function is ILocalFunctionOperation local)
        {
            return graph.LocalFunctions.Contains(local.Symbol) ? graph.GetLocalFunctionControlFlowGraph(local.Symbol) : null;
        }

        foreach (var operation in graph.Blocks.SelectMany(FlowWalk.OperationsOf))
        {
            if (operation is IFlowAnonymousFunctionOperation lambda && lambda.Syntax == function.Syntax)
            {
                return graph.GetAnonymousFunctionControlFlowGraph(lambda);
            }
        }

        return null;
    }
}
