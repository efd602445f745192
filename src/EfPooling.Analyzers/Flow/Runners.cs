using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>Knows who runs delegates beside the rest. Thread-safe.</summary>
internal sealed class Runners(Compilation compilation)
{
    private readonly INamedTypeSymbol? _parallel = TypeLookup.Find(compilation, "System.Threading.Tasks.Parallel");
    private readonly INamedTypeSymbol? _parallelOptions = TypeLookup.Find(compilation, "System.Threading.Tasks.ParallelOptions");
    private readonly INamedTypeSymbol? _parallelEnumerable = TypeLookup.Find(compilation, "System.Linq.ParallelEnumerable");
    private readonly INamedTypeSymbol? _threadPool = TypeLookup.Find(compilation, "System.Threading.ThreadPool");
    private readonly INamedTypeSymbol? _token = TypeLookup.Find(compilation, "System.Threading.CancellationToken");
    private readonly INamedTypeSymbol? _thread = TypeLookup.Find(compilation, "System.Threading.Thread");
    private readonly INamedTypeSymbol? _timer = TypeLookup.Find(compilation, "System.Threading.Timer");
    private readonly INamedTypeSymbol? _timerWithEvent = TypeLookup.Find(compilation, "System.Timers.Timer");
    private readonly INamedTypeSymbol? _task = TypeLookup.Find(compilation, "System.Threading.Tasks.Task");
    private readonly INamedTypeSymbol? _taskFactory = TypeLookup.Find(compilation, "System.Threading.Tasks.TaskFactory");

    /// <summary>Null: the call runs what it is given in the ordinary way, or one at a time.</summary>
    public DeferredKind? KindOf(IInvocationOperation call)
    {
        var (type, name) = (call.TargetMethod.ContainingType, call.TargetMethod.Name);
        return type.Is(_parallel) ? (IsOneAtATime(call) ? null : name == "Invoke" ? DeferredKind.Sibling : DeferredKind.Repeated)
            : type.Is(_parallelEnumerable) ? (HasDegreeOne(call) ? null : DeferredKind.Repeated)
            : type.Is(_threadPool) || (type.Is(_token) && name is "Register" or "UnsafeRegister") ? DeferredKind.Once
            : (type.InheritsFrom(_task) && name is "Run" or "ContinueWith") || (type.Is(_taskFactory) && name == "StartNew") ? DeferredKind.Task
            : null;
    }

    public DeferredKind? KindOf(IObjectCreationOperation creation)
        => creation.Type.Is(_thread) ? DeferredKind.Once : creation.Type.Is(_timer) ? DeferredKind.Repeated : null;

    /// <summary><c>timer.Elapsed += …</c></summary>
    public bool IsTimer(IEventAssignmentOperation assignment)
        => assignment.EventReference is IEventReferenceOperation { Event.ContainingType: var type } && type.Is(_timerWithEvent);

    // new ParallelOptions { MaxDegreeOfParallelism = 1 }, also in a local
    private bool IsOneAtATime(IInvocationOperation call)
        => call.Arguments.Any(argument => argument.Parameter?.Type.Is(_parallelOptions) == true
            && CreationOf(argument.Value)?.Initializer?.Initializers.OfType<ISimpleAssignmentOperation>().Any(assignment
                => assignment.Target is IPropertyReferenceOperation { Property.Name: "MaxDegreeOfParallelism" } && IsOne(assignment.Value)) == true);

    private static IObjectCreationOperation? CreationOf(IOperation value) => value switch
    {
        IObjectCreationOperation creation => creation,
        ILocalReferenceOperation local when local.Local.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() is VariableDeclaratorSyntax { Initializer.Value: { } initial }
            => local.SemanticModel?.GetOperation(initial) as IObjectCreationOperation,
        _ => null,
    };

    // Further up in the query, too.
    private static bool HasDegreeOne(IInvocationOperation? call)
    {
        for (; call is not null; call = call.Arguments.Length > 0 ? TaskUse.Inner(call.Arguments[0].Value) as IInvocationOperation : null)
        {
            if (call is { TargetMethod.Name: "WithDegreeOfParallelism", Arguments: { Length: 2 } arguments } && IsOne(arguments[1].Value))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsOne(IOperation value) => value.ConstantValue is { HasValue: true, Value: 1 };
}
