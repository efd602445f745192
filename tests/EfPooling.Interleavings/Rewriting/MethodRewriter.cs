using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace EfPooling.Interleavings.Rewriting;

/// <summary>
/// Rewrites one method: a point comes before every interlocked or volatile access and every use of a shared field, and what would block the thread
/// (locks, awaits, the disposal of a registration whose callback runs) blocks the flow instead.
/// </summary>
internal sealed class MethodRewriter(MethodDefinition method)
{
    private readonly MethodBody _body = method.Body;
    private readonly ModuleDefinition _module = method.Module;
    private readonly bool _isWatched = WatchedTypes.Contains(method.DeclaringType);

    public void Rewrite()
    {
        _body.SimplifyMacros();
        foreach (var instruction in _body.Instructions.ToArray())
        {
            switch (instruction.Operand)
            {
                case MethodReference called when instruction.OpCode == OpCodes.Call || instruction.OpCode == OpCodes.Callvirt:
                    RewriteCall(instruction, called);
                    break;
                case MethodReference { DeclaringType.FullName: "System.Threading.Tasks.TaskCompletionSource" } when _isWatched && instruction.OpCode == OpCodes.Newobj:
                    InsertAfter(instruction, CallTo(nameof(SwitchPoint.OnCreated)));
                    break;
                case FieldReference field when _isWatched && !method.IsConstructor && IsAccess(instruction) && WatchedTypes.Shares(field):
                    InsertPoint(instruction, $"{field.DeclaringType.Name}.{field.Name}", isAtomic: instruction.Previous?.OpCode == OpCodes.Volatile);
                    break;
            }
        }

        _body.OptimizeMacros();
    }

    private static bool IsAccess(Instruction instruction) => instruction.OpCode == OpCodes.Ldfld || instruction.OpCode == OpCodes.Stfld;

    private void RewriteCall(Instruction instruction, MethodReference called)
    {
        switch (called.DeclaringType.FullName)
        {
            case "System.Threading.Interlocked" or "System.Threading.Volatile" when _isWatched:
                InsertPoint(instruction, $"{called.DeclaringType.Name}.{called.Name}", isAtomic: true);
                break;
            case "System.Threading.Lock" when called.Name == nameof(Lock.EnterScope):
                Replace(instruction, nameof(SwitchPoint.EnterScope));
                break;
            case "System.Threading.Lock/Scope" when called.Name == nameof(IDisposable.Dispose):
                Replace(instruction, nameof(SwitchPoint.DisposeScope));
                break;
            case "System.Threading.Monitor" when called is { Name: nameof(Monitor.Enter), Parameters.Count: 2 }:
                Replace(instruction, nameof(SwitchPoint.EnterMonitor));
                break;
            case "System.Threading.Monitor" when called.Name == nameof(Monitor.Exit):
                Replace(instruction, nameof(SwitchPoint.ExitMonitor));
                break;
            case "System.Threading.CancellationToken" when _isWatched && called.Name == nameof(CancellationToken.UnsafeRegister):
                Replace(instruction, called.Parameters[0].ParameterType is GenericInstanceType { GenericArguments.Count: 2 } ? nameof(SwitchPoint.Register) : nameof(SwitchPoint.RegisterSimple));
                break;
            case "System.IDisposable" when instruction.Previous is { OpCode.Code: Code.Constrained, Operand: TypeReference { FullName: "System.Threading.CancellationTokenRegistration" } } prefix:
                (prefix.OpCode, prefix.Operand) = (OpCodes.Nop, null);
                Replace(instruction, nameof(SwitchPoint.DisposeRegistration));
                break;
            case "System.Threading.CancellationTokenRegistration" when called.Name == nameof(IDisposable.Dispose):
                Replace(instruction, nameof(SwitchPoint.DisposeRegistration));
                break;
            case "System.Threading.Tasks.Task" when _isWatched && called is { Name: nameof(Task.Wait), Parameters.Count: 1 }:
                Replace(instruction, nameof(SwitchPoint.Wait));
                break;
            default:
                if (called.Name == "get_IsCompleted" && called.DeclaringType is var awaiter && awaiter.Name.StartsWith("Configured", StringComparison.Ordinal) && awaiter.IsValueType)
                {
                    InsertBefore(
                        instruction,
                        Instruction.Create(OpCodes.Dup), Instruction.Create(OpCodes.Ldobj, awaiter), Instruction.Create(OpCodes.Box, awaiter), CallTo(nameof(SwitchPoint.Await)));
                }

                break;
        }
    }

    private void InsertPoint(Instruction at, string place, bool isAtomic)
    {
        var first = at.Previous?.OpCode == OpCodes.Volatile ? at.Previous : at;
        var name = $"{method.DeclaringType.Name}.{method.Name}: {place}";
        InsertBefore(first, Instruction.Create(OpCodes.Ldstr, name), CallTo(isAtomic ? nameof(SwitchPoint.Reach) : nameof(SwitchPoint.ReachPlain)));
    }

    private void Replace(Instruction instruction, string name)
        => (instruction.OpCode, instruction.Operand) = (OpCodes.Call, _module.ImportReference(typeof(SwitchPoint).GetMethod(name)));

    private Instruction CallTo(string name) => Instruction.Create(OpCodes.Call, _module.ImportReference(typeof(SwitchPoint).GetMethod(name)));

    private void InsertAfter(Instruction instruction, Instruction added) => _body.Instructions.Insert(_body.Instructions.IndexOf(instruction) + 1, added);

    // Whoever jumped to the instruction jumps to what is inserted.
    private void InsertBefore(Instruction instruction, params Instruction[] added)
    {
        var at = _body.Instructions.IndexOf(instruction);
        for (var i = 0; i < added.Length; i++)
        {
            _body.Instructions.Insert(at + i, added[i]);
        }

        foreach (var other in _body.Instructions)
        {
            if (ReferenceEquals(other.Operand, instruction))
            {
                other.Operand = added[0];
            }
            else if (other.Operand is Instruction[] targets)
            {
                other.Operand = Array.ConvertAll(targets, target => ReferenceEquals(target, instruction) ? added[0] : target);
            }
        }

        foreach (var handler in _body.ExceptionHandlers)
        {
            handler.TryStart = Moved(handler.TryStart);
            handler.TryEnd = Moved(handler.TryEnd);
            handler.HandlerStart = Moved(handler.HandlerStart);
            handler.HandlerEnd = Moved(handler.HandlerEnd);
            handler.FilterStart = Moved(handler.FilterStart);
        }

        Instruction? Moved(Instruction? target) => ReferenceEquals(target, instruction) ? added[0] : target;
    }
}
