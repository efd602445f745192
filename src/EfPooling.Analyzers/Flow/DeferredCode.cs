using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>Code that is passed to something that runs it beside the rest.</summary>
/// <param name="kind">How it runs.</param>
/// <param name="site">The call, creation or assignment that it is passed to.</param>
/// <param name="code">The delegate.</param>
/// <param name="runner">Who runs it, for messages.</param>
internal sealed class DeferredCode(DeferredKind kind, IOperation site, IDelegateCreationOperation code, string runner)
{
    public DeferredKind Kind { get; } = kind;

    public IOperation Site { get; } = site;

    public IDelegateCreationOperation Code { get; } = code;

    public string Runner { get; } = runner;

    /// <summary>What an operation passes to code that runs it beside the rest.</summary>
    public static IEnumerable<DeferredCode> Of(IOperation operation, FlowSymbols symbols) => operation switch
    {
        IInvocationOperation call when symbols.Runners.KindOf(call) is { } kind
            => Delegates(call.Arguments).Select(code => new DeferredCode(kind, call, code, $"{call.TargetMethod.ContainingType.Name}.{call.TargetMethod.Name}")),
        IObjectCreationOperation creation when symbols.Runners.KindOf(creation) is { } kind
            => Delegates(creation.Arguments).Select(code => new DeferredCode(kind, creation, code, $"a {creation.Type!.Name}")),
        IEventAssignmentOperation { Adds: true } assignment when symbols.Runners.IsTimer(assignment) && TaskUse.Inner(assignment.HandlerValue) is IDelegateCreationOperation code
            => [new DeferredCode(DeferredKind.Repeated, assignment, code, "a Timer")],
        IDelegateCreationOperation { Target: IAnonymousFunctionOperation { Symbol: { IsAsync: true, ReturnsVoid: true } }, Parent: IArgumentOperation { Parent: { } site } } code
            => [new DeferredCode(DeferredKind.Repeated, site, code, "an async void lambda")],
        IDelegateCreationOperation { Type.Name: "Action", Target: IAnonymousFunctionOperation { Symbol: { IsAsync: true, ReturnsVoid: true } }, Parent: IVariableInitializerOperation { Parent: { } site } } code
            => [new DeferredCode(DeferredKind.Repeated, site, code, "an async void lambda")],
        _ => [],
    };

    private static IEnumerable<IDelegateCreationOperation> Delegates(IEnumerable<IArgumentOperation> arguments)
        => arguments.Select(argument => TaskUse.Inner(argument.Value))
            .SelectMany(value => value switch
            {
                IArrayCreationOperation { Initializer: { } array } => array.ElementValues.Select(TaskUse.Inner),
                ICollectionExpressionOperation collection => collection.Elements.Select(TaskUse.Inner),
                _ => [value],
            })
            .OfType<IDelegateCreationOperation>();
}
