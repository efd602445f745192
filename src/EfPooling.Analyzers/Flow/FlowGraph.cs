using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>One control flow graph, read once: walks begin at many of its calls.</summary>
internal sealed class FlowGraph
{
    private readonly ControlFlowGraph _graph;
    private readonly IOperation[][] _operations;
    private readonly Dictionary<SyntaxNode, (BasicBlock Block, int Next)> _calls = [];
    private readonly Dictionary<SyntaxNode, IFlowAnonymousFunctionOperation> _lambdas = [];

    public FlowGraph(ControlFlowGraph graph)
    {
        _graph = graph;
        _operations = [.. graph.Blocks.Select(OperationsIn)];
        foreach (var block in graph.Blocks)
        {
            var operations = OperationsOf(block);
            for (var i = 0; i < operations.Length; i++)
            {
                if (operations[i] is IInvocationOperation { IsImplicit: false } && !_calls.ContainsKey(operations[i].Syntax))
                {
                    _calls.Add(operations[i].Syntax, (block, i + 1));
                }
                else if (operations[i] is IFlowAnonymousFunctionOperation lambda)
                {
                    _lambdas[lambda.Syntax] = lambda;
                }
            }
        }
    }

    public BasicBlock this[int ordinal] => _graph.Blocks[ordinal];

    /// <summary>What a block evaluates, operands before what they are operands of.</summary>
    public IOperation[] OperationsOf(BasicBlock block) => _operations[block.Ordinal];

    /// <summary>The block of a call, and the place of the operation behind it.</summary>
    public bool TryFind(SyntaxNode call, out (BasicBlock Block, int Next) place) => _calls.TryGetValue(call, out place);

    /// <summary>The graph of a lambda or local function directly in this one; null in code that does not compile.</summary>
    public FlowGraph? Inner(IOperation function)
        => function is ILocalFunctionOperation local
            ? (_graph.LocalFunctions.Contains(local.Symbol) ? new FlowGraph(_graph.GetLocalFunctionControlFlowGraph(local.Symbol)) : null)
            : _lambdas.TryGetValue(function.Syntax, out var lambda) ? new FlowGraph(_graph.GetAnonymousFunctionControlFlowGraph(lambda)) : null;

    private static IOperation[] OperationsIn(BasicBlock block)
    {
        var operations = new List<IOperation>();
        foreach (var operation in block.Operations)
        {
            AddInOrder(operation, operations);
        }

        if (block.BranchValue is { } value)
        {
            AddInOrder(value, operations);
        }

        return [.. operations];
    }

    private static void AddInOrder(IOperation operation, List<IOperation> operations)
    {
        foreach (var child in operation.ChildOperations)
        {
            AddInOrder(child, operations);
        }

        operations.Add(operation);
    }
}
