using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>
/// The body of a member, or an initialiser, with the lambdas and local functions in it; lambdas that are expression trees are left out.
/// Lists are in the order of the source. One thread only.
/// </summary>
internal sealed class FlowBody
{
    private readonly OperationBlockAnalysisContext _context;
    private readonly Dictionary<SyntaxNode, IInvocationOperation> _invocations = [];
    private readonly Dictionary<SyntaxNode, IObjectCreationOperation> _creations = [];
    private readonly Dictionary<SyntaxNode, DbOperation> _operations = [];
    private readonly Dictionary<SyntaxNode, DbTask?> _work = [];
    private readonly Dictionary<SyntaxNode, Root> _roots = [];
    private readonly Dictionary<SyntaxNode, (int Start, int End)> _ranges = [];
    private readonly Dictionary<SyntaxNode, IReadOnlyList<DbTask>> _shared = [];
    private readonly Dictionary<SyntaxNode, FlowBody?> _others = [];
    private readonly Dictionary<ISymbol, ILocalFunctionOperation> _functions = new(SymbolEqualityComparer.Default);
    private readonly FlowGraphs _graphs;

    public FlowBody(OperationBlockAnalysisContext context, IOperation block, SemanticModel model, FlowSymbols symbols)
    {
        (_context, Block, Model, Symbols) = (context, block, model, symbols);
        _graphs = new FlowGraphs(() => context.GetControlFlowGraph(block));
        All = Collect(block);
        foreach (var operation in All)
        {
            if (operation is IInvocationOperation invocation)
            {
                _invocations[invocation.Syntax] = invocation;
                if (symbols.Known.Operations.TryGet(operation, out var found))
                {
                    _operations[invocation.Syntax] = found;
                    Operations.Add(found);
                }
            }
            else if (operation is ILocalFunctionOperation function)
            {
                _functions[function.Symbol] = function;
            }
            else if (operation is IObjectCreationOperation creation)
            {
                _creations[creation.Syntax] = creation;
            }
        }
    }

    public IOperation Block { get; }

    public SemanticModel Model { get; }

    public FlowSymbols Symbols { get; }

    /// <summary>The member.</summary>
    public ISymbol Owner => _context.OwningSymbol;

    /// <summary>All operations.</summary>
    public IReadOnlyList<IOperation> All { get; }

    /// <summary>Those that talk to a database.</summary>
    public List<DbOperation> Operations { get; } = [];

    /// <summary>
    /// Whether there is anything for a rule: an operation, a context or connection that is passed to a method of the project, a method of an object that holds one, or a method that is
    /// passed on and may do such a thing.
    /// </summary>
    public bool HasWork => Operations.Count > 0
        || All.Any(operation => operation is IMethodReferenceOperation || (operation is IInvocationOperation call && (DbTask.MayBeGivenWork(call, Symbols.Known) || OwnCalls.MayWork(call, this))));

    /// <summary>How many operations were looked at again after the body was read, for a test that this grows with the code and not with its square.</summary>
    public int Visits { get; private set; }

    /// <summary>The operations of a lambda, local function or loop, itself included; all if it is none of this body.</summary>
    public IEnumerable<IOperation> Within(SyntaxNode code)
    {
        var (start, end) = _ranges.TryGetValue(code, out var range) ? range : (0, All.Count);
        for (var i = start; i < end; i++)
        {
            Visits++;
            yield return All[i];
        }
    }

    /// <summary>What a function does on contexts and connections from outside it; see <see cref="SharedWork"/>.</summary>
    public IReadOnlyList<DbTask> SharedWorkIn(IOperation function)
    {
        if (!_shared.TryGetValue(function.Syntax, out var work))
        {
            work = [.. SharedWork.In(function, this)];
            _shared.Add(function.Syntax, work);
        }

        return work;
    }

    public IEnumerable<IInvocationOperation> Invocations => All.OfType<IInvocationOperation>();

    public Root RootOf(DbOperation operation)
    {
        if (!_roots.TryGetValue(operation.Invocation.Syntax, out var root))
        {
            root = Symbols.Known.Roots.Of(operation.Owner, Model);
            _roots.Add(operation.Invocation.Syntax, root);
        }

        return root;
    }

    public Root RootOf(IOperation operation) => Symbols.Known.Roots.Of(operation, Model);

    /// <summary>The database operation that stands where an operation of a control flow graph stands.</summary>
    public bool TryGetOperation(IOperation operation, out DbOperation found)
    {
        found = default;
        return operation is IInvocationOperation { IsImplicit: false } && _operations.TryGetValue(operation.Syntax, out found);
    }

    /// <summary>The work that a call starts on a known context or connection; null for any other operation.</summary>
    public DbTask? WorkOf(IOperation operation)
    {
        if (Original(operation) is not { } call)
        {
            return null;
        }

        if (!_work.TryGetValue(call.Syntax, out var work))
        {
            work = DbTask.Of(call, this);
            _work.Add(call.Syntax, work);
        }

        return work;
    }

    /// <summary>The same call in the tree of operations, which knows its parents, for one of a control flow graph.</summary>
    public IInvocationOperation? Original(IOperation operation)
        => operation is IInvocationOperation { IsImplicit: false } && _invocations.TryGetValue(operation.Syntax, out var found) ? found : null;

    /// <summary>The same for the creation of an object.</summary>
    public IObjectCreationOperation? Original(IObjectCreationOperation operation) => _creations.TryGetValue(operation.Syntax, out var found) ? found : null;

    /// <summary>The walk through what may run after an operation in the same function, or null if that cannot be told.</summary>
    public FlowWalk? WalkFrom(IInvocationOperation operation) => _graphs.Of(operation) is { } graph ? FlowWalk.After(graph, operation.Syntax, () => Visits++) : null;

    /// <summary>Another method of the same file; there is no walk through it.</summary>
    public FlowBody? BodyOf(SyntaxNode method)
    {
        if (!_others.TryGetValue(method, out var body))
        {
            body = Model.GetOperation(method) is { } block ? new FlowBody(_context, block, Model, Symbols) : null;
            _others.Add(method, body);
        }

        return body;
    }

    public ILocalFunctionOperation? LocalFunction(IMethodSymbol function) => _functions.TryGetValue(function, out var found) ? found : null;

    /// <summary>The lambda or local function around an operation, or the whole body.</summary>
    public IOperation FunctionOf(IOperation operation)
    {
        for (var parent = operation.Parent; parent is not null; parent = parent.Parent)
        {
            if (parent is IAnonymousFunctionOperation or ILocalFunctionOperation)
            {
                return parent;
            }
        }

        return Block;
    }

    /// <summary>What an <c>.editorconfig</c> says for this file.</summary>
    public string? Option(string key)
        => _context.Options.AnalyzerConfigOptionsProvider.GetOptions(Block.Syntax.SyntaxTree).TryGetValue(key, out var value) ? value : null;

    public void Report(DiagnosticDescriptor descriptor, SyntaxNode place, SyntaxNode? other, params object[] arguments)
        => _context.ReportDiagnostic(Diagnostic.Create(descriptor, place.GetLocation(), other is null ? null : [other.GetLocation()], arguments));

    private List<IOperation> Collect(IOperation block)
    {
        var (all, pending) = (new List<IOperation>(), new Stack<(IOperation Operation, int Start)>());
        pending.Push((block, -1));
        while (pending.Count > 0)
        {
            var (operation, start) = pending.Pop();
            if (start >= 0)
            {
                _ranges[operation.Syntax] = (start, all.Count);
                continue;
            }

            if (operation is IAnonymousFunctionOperation or ILocalFunctionOperation or ILoopOperation)
            {
                pending.Push((operation, all.Count));
            }

            all.Add(operation);
            if (!Symbols.IsExpressionTree(operation))
            {
                foreach (var child in operation.ChildOperations.Reverse())
                {
                    pending.Push((child, -1));
                }
            }
        }

        return all;
    }
}
