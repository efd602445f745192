using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace EfPooling.Analyzers.Flow;

/// <summary>
/// Visits what may run after a call in the same function, each operation once (in finally, once for each way out), in order of evaluation, along all paths but those by
/// exceptions. A path ends where the visitor says so, or where one of the given variables goes out of scope: in the next
/// turn of a loop it is another one.
/// </summary>
internal sealed class FlowWalk
{
    private readonly HashSet<BasicBlock> _visited = [];
    private readonly Stack<BasicBlock> _pending = new();
    private readonly FlowGraph _graph;
    private readonly BasicBlock _block;
    private readonly int _start;
    private readonly Action _count;

    private FlowWalk(FlowGraph graph, BasicBlock block, int start, Action count) => (_graph, _block, _start, _count) = (graph, block, start, count);

    /// <summary>Null: the call is not in the graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="call">The call.</param>
    /// <param name="count">Called for each visit.</param>
    public static FlowWalk? After(FlowGraph graph, SyntaxNode call, Action count)
        => graph.TryFind(call, out var place) ? new FlowWalk(graph, place.Block, place.Next, count) : null;

    /// <param name="visit">Whether to go on along this path.</param>
    /// <param name="variables">Locals that must stay the same.</param>
    public void Run(Func<IOperation, bool> visit, params ISymbol?[] variables)
    {
        Follow(_block, _start, visit, variables);
        while (_pending.Count > 0)
        {
            var block = _pending.Pop();
            if (_visited.Add(block))
            {
                Follow(block, 0, visit, variables);
            }
        }
    }

    private void Follow(BasicBlock block, int start, Func<IOperation, bool> visit, ISymbol?[] variables)
    {
        if (!VisitAll(block, start, visit))
        {
            return;
        }

        foreach (var branch in new[] { block.FallThroughSuccessor, block.ConditionalSuccessor })
        {
            if (branch?.Destination is { } destination
                && FinallyBlocks(branch).All(inner => VisitAll(inner, 0, visit))
                && !branch.LeavingRegions.Any(region => region.Locals.Any(local => variables.Contains(local, SymbolEqualityComparer.Default))))
            {
                _pending.Push(destination);
            }
        }
    }

    private bool VisitAll(BasicBlock block, int start, Func<IOperation, bool> visit)
    {
        var operations = _graph.OperationsOf(block);
        for (var i = start; i < operations.Length; i++)
        {
            _count();
            if (!visit(operations[i]))
            {
                return false;
            }
        }

        return true;
    }

    // As if it ran straight through: whatever stops the walk in one of its branches stops it.
    private IEnumerable<BasicBlock> FinallyBlocks(ControlFlowBranch branch)
    {
        foreach (var region in branch.FinallyRegions)
        {
            for (var i = region.FirstBlockOrdinal; i <= region.LastBlockOrdinal; i++)
            {
                yield return _graph[i];
            }
        }
    }
}
