using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>
/// Knows the calls that wait for something other than the database. Interfaces are silent unless named by option: nothing tells what is
/// behind them. So are message buses: with an outbox, to publish is to write to the database. Thread-safe.
/// </summary>
internal sealed class SlowCalls(Compilation compilation, KnownSymbols known)
{
    private static readonly (string Type, string Methods)[] Table =
    [
        ("System.Net.Http.HttpClient", "Get GetString GetStream GetByteArray Post Put Patch Delete Send"),
        ("System.Net.Http.HttpMessageInvoker", "Send"),
        ("System.Net.Http.Json.HttpClientJsonExtensions", "GetFromJson PostAsJson PutAsJson PatchAsJson DeleteFromJson"),
        ("System.Threading.Tasks.Task", "Delay"),
        ("System.Threading.Thread", "Sleep"),
        ("System.Threading.PeriodicTimer", "WaitForNextTick"),
        ("System.Net.Mail.SmtpClient", "Send SendMail"),
        ("System.Net.Sockets.Socket", "Accept Connect Disconnect Receive ReceiveFrom ReceiveMessageFrom Send SendTo SendFile"),
        ("System.Diagnostics.Process", "WaitForExit"),
    ];

    private readonly (INamedTypeSymbol? Type, string[] Methods)[] _table =
        [.. Table.Select(entry => (TypeLookup.Find(compilation, entry.Type), entry.Methods.Split(' ')))];

    private readonly INamedTypeSymbol? _unaryCall = TypeLookup.Find(compilation, "Grpc.Core.AsyncUnaryCall`1");

    /// <param name="call">The call.</param>
    /// <param name="additional">More types, of which all methods count.</param>
    public bool IsSlow(IInvocationOperation call, IReadOnlyList<INamedTypeSymbol> additional)
    {
        var method = call.TargetMethod;
        return (_table.Any(entry => method.ContainingType.Is(entry.Type) && entry.Methods.Contains(WithoutAsync(method.Name)))
                || method.ReturnType.Is(_unaryCall)
                || additional.Any(type => IsOf(type, method.ContainingType) || IsOf(type, call.Instance?.Type)))
            && !WaitsForNothing(call) && IsWaitedFor(call);
    }

    private static bool IsOf(INamedTypeSymbol known, ITypeSymbol? type) => type.InheritsFrom(known) || type.IsOrImplements(known);

    private static string WithoutAsync(string name) => name.EndsWith("Async", StringComparison.Ordinal) ? name.Substring(0, name.Length - 5) : name;

    // Delay(0), Sleep(TimeSpan.Zero)
    private static bool WaitsForNothing(IInvocationOperation call)
        => (call.TargetMethod.Name is "Delay" or "Sleep" or "WaitForExit") && call.Arguments.Any(argument => argument.Value is { ConstantValue: { HasValue: true, Value: 0 } } or IFieldReferenceOperation { Field: { Name: "Zero", ContainingType.Name: "TimeSpan" } });

    // A task that is awaited after the transaction costs nothing, nor does what is called asynchronous and gives none: an event comes later.
    private bool IsWaitedFor(IInvocationOperation call)
    {
        var isTask = known.IsTask(call.TargetMethod.ReturnType) || call.TargetMethod.ReturnType.Is(_unaryCall);
        return !isTask ? !call.TargetMethod.Name.EndsWith("Async", StringComparison.Ordinal) : TaskUse.Of(call).Kind is TaskUseKind.Awaited or TaskUseKind.Blocked;
    }
}
