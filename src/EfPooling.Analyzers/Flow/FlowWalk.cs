using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>
/// Visits what may run after a call in the same function, each operation once, in order of evaluation, along all paths but those by
/// exceptions. A path ends where the visitor says so, or where one of the given variables goes out of scope: in the next
/// turn of a loop it is another one.
/// </summary>
internal sealed class FlowWalk
{
    private readonly HashSet<BasicBlock> _visited = [];
    private readonly Stack<BasicBlock> _pending = new();
    private readonly ControlFlowGraph _graph;
    private readonly BasicBlock _block;
    private readonly int _start;

    private FlowWalk(ControlFlowGraph graph, BasicBlock block, int start) => (_graph, _block, _start) = (graph, block, start);

    public static FlowWalk? After(ControlFlowGraph graph, SyntaxNode call)
    {
        foreach (var block in graph.Blocks)
        {
            var i = 0;
            foreach (var operation in OperationsOf(block))
            {
                i++;
                if (operation is IInvocationOperation { IsImplicit: false } && operation.Syntax == call)
                {
                    return new FlowWalk(graph, block, i);
                }
            }
        }

        return null;
    }

    /// <summary>What a block evaluates, operands before what they are operands of.</summary>
    public static IEnumerable<IOperation> OperationsOf(BasicBlock block)
    {
        foreach (var operation in block.Operations.SelectMany(InOrder))
        {
            yield return operation;
        }

        if (block.BranchValue is { } value)
        {
            foreach (var operation in InOrder(value))
            {
                yield return operation;
            }
        }
    }

    /// <param name="visit">Whether to go on along this path.</param>
    /// <param name="variables">Locals that must stay the same.</param>
    public void Run(Func<IOperation, bool> visit, params ISymbol?[] variables)
    {
        Follow(_block, OperationsOf(_block).Skip(_start), visit, variables);
        while (_pending.Count > 0)
        {
            var block = _pending.Pop();
            if (_visited.Add(block))
            {
                Follow(block, OperationsOf(block), visit, variables);
            }
        }
    }

    private void Follow(BasicBlock block, IEnumerable<IOperation> operations, Func<IOperation, bool> visit, ISymbol?[] variables)
    {
        if (!operations.All(visit))
        {
            return;
        }

        foreach (var branch in new[] { block.FallThroughSuccessor, block.ConditionalSuccessor })
        {
            if (branch?.Destination is { } destination
                && FinallyBlocks(branch).SelectMany(OperationsOf).All(visit)
                && !branch.LeavingRegions.Any(region => region.Locals.Any(local => variables.Contains(local, SymbolEqualityComparer.Default))))
            {
                _pending.Push(destination);
            }
        }
    }

    // As if it ran straight through: whatever stops the walk in one of its branches stops it.
    private IEnumerable<BasicBlock> FinallyBlocks(ControlFlowBranch branch)
    {
        foreach (var region in branch.FinallyRegions)
        {
            for (var i = region.FirstBlockOrdinal; i <= region.LastBlockOrdinal; i++)
            {
                yield return _graph.Blocks[i];
            }
        }
    }

    private static IEnumerable<IOperation> InOrder(IOperation operation)
    {
        foreach (var child in operation.ChildOperations)
        {
            foreach (var inner in InOrder(child))
            {
                yield return inner;
            }
        }

        yield return operation;
    }
}
