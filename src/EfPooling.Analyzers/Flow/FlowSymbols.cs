using System.Collections.Concurrent;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>The types beside those of the database that the rules about flow know. Thread-safe.</summary>
internal sealed class FlowSymbols
{
    private readonly Lazy<Retries> _retries;
    private readonly Lazy<bool> _allowsNested;
    private readonly INamedTypeSymbol? _semaphore;
    private readonly INamedTypeSymbol? _monitor;
    private readonly INamedTypeSymbol? _lock;
    private readonly INamedTypeSymbol? _waitHandle;
    private readonly INamedTypeSymbol? _expression;
    private readonly INamedTypeSymbol? _reader;

    private FlowSymbols(Compilation compilation, KnownSymbols known)
    {
        Known = known;
        Compilation = compilation;
        SlowCalls = new SlowCalls(compilation, known);
        Runners = new Runners(compilation);
        _retries = new Lazy<Retries>(() => new Retries(compilation));
        _allowsNested = new Lazy<bool>(() => NestedCommands.AreAllowed(compilation));
        _semaphore = TypeLookup.Find(compilation, "System.Threading.SemaphoreSlim");
        _monitor = TypeLookup.Find(compilation, "System.Threading.Monitor");
        _lock = TypeLookup.Find(compilation, "System.Threading.Lock");
        _waitHandle = TypeLookup.Find(compilation, "System.Threading.WaitHandle");
        _expression = TypeLookup.Find(compilation, "System.Linq.Expressions.Expression`1");
        _reader = TypeLookup.Find(compilation, "System.Data.IDataReader");
    }

    public KnownSymbols Known { get; }

    /// <summary>What each method of the project works on, as far as it was asked for. See <see cref="OwnCalls"/>.</summary>
    public ConcurrentDictionary<IMethodSymbol, Root> WorkOfMethods { get; } = new(SymbolEqualityComparer.Default);

    /// <summary>For each type: the names of its variables that may hold a context or connection.</summary>
    public ConcurrentDictionary<INamedTypeSymbol, HashSet<string>> Holders { get; } = new(SymbolEqualityComparer.Default);

    /// <summary>The contexts for which EF Core reads all rows before it gives the first.</summary>
    public Retries Retries => _retries.Value;

    /// <summary>Whether commands during a reader may have a connection of their own.</summary>
    public bool AllowsNested => _allowsNested.Value;

    public Compilation Compilation { get; }

    public SlowCalls SlowCalls { get; }

    public Runners Runners { get; }

    public static FlowSymbols Of(Compilation compilation, KnownSymbols known) => new(compilation, known);

    /// <summary><c>Task.WhenAll</c>, <c>WhenAny</c> or <c>WhenEach</c>.</summary>
    public bool IsCombinator(IMethodSymbol method) => (method.Name is "WhenAll" or "WhenAny" or "WhenEach") && method.ContainingType.Is(Known.Task);

    /// <summary>Waits for a semaphore, a lock, a mutex, or something of the project's that is named so: what follows is not concurrent with others who do the same.</summary>
    public bool TakesTurn(IOperation operation)
        => operation is ILockOperation || (operation is IInvocationOperation { TargetMethod: var method } && TakesTurn(method));

    private bool TakesTurn(IMethodSymbol method)
    {
        var (type, name) = (method.ContainingType, method.Name);
        return name is "Wait" or "WaitAsync" ? type.Is(_semaphore)
            : name is "WaitOne" ? type.InheritsFrom(_waitHandle)
            : name is "Enter" or "TryEnter" or "EnterScope" ? type.Is(_monitor) || type.Is(_lock)
            : !HandOvers.IsOfDatabase(type) && (name.IndexOf("Lock", StringComparison.Ordinal) >= 0 || name.IndexOf("Acquire", StringComparison.Ordinal) >= 0
                || name is "Enter" or "EnterAsync");
    }

    /// <summary>A lambda that is data (LINQ to a database) and never runs here.</summary>
    public bool IsExpressionTree(IOperation operation)
        => operation is IConversionOperation { Operand: IAnonymousFunctionOperation } conversion && conversion.Type.Is(_expression);

    public bool IsReader(ITypeSymbol? type) => type.IsOrImplements(_reader);

    /// <summary>An array, list or queue of tasks, or anything else that gives them one after the other.</summary>
    public bool IsSequenceOfTasks(ITypeSymbol? type)
        => type is not null && type.AllInterfaces.Concat(type is INamedTypeSymbol itself ? [itself] : []).Any(item => item is { Name: "IEnumerable", TypeArguments.Length: 1 } && Known.IsTask(item.TypeArguments[0]));
}
