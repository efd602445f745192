using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace EfPooling.Interleavings;

/// <summary>What the rewritten assemblies call. Outside a flow each does what it stands for, and nothing else.</summary>
[SuppressMessage("Design", "CA1068", Justification = "The arguments stand in the order of what each method replaces.")]
public static class SwitchPoint
{
    private static readonly ConditionalWeakTable<Task, object> EndedByFlows = [];
    private static readonly ConditionalWeakTable<object, Callback> Callbacks = [];
    private static readonly ConcurrentDictionary<Type, FieldInfo?> TaskFields = new();

    /// <summary>Before an access that is atomic by itself.</summary>
    public static void Reach(string place) => Flow.Current?.Reach(place);

    /// <summary>Before any other access to a field that flows share.</summary>
    public static void ReachPlain(string place)
    {
        if (Flow.Current is { SeesPlainAccesses: true } flow)
        {
            flow.Reach(place);
        }
    }

    /// <summary>In place of <see cref="Lock.EnterScope"/>.</summary>
    public static Lock.Scope EnterScope(Lock gate)
    {
#pragma warning disable CS9216 // Told apart by reference only.
        Flow.Current?.Enter(gate);
#pragma warning restore CS9216
        return gate.EnterScope();
    }

    /// <summary>In place of <see cref="Lock.Scope.Dispose"/>.</summary>
    public static void DisposeScope(ref Lock.Scope scope)
    {
        scope.Dispose();
        Flow.Current?.Exit();
    }

    /// <summary>In place of <see cref="Monitor.Enter(object, ref bool)"/>.</summary>
    public static void EnterMonitor(object gate, ref bool isTaken)
    {
        Flow.Current?.Enter(gate);
        Monitor.Enter(gate, ref isTaken);
    }

    /// <summary>In place of <see cref="Monitor.Exit"/>.</summary>
    public static void ExitMonitor(object gate)
    {
        Monitor.Exit(gate);
        Flow.Current?.Exit();
    }

    /// <summary>After a source was created whose task another flow will end.</summary>
    public static TaskCompletionSource OnCreated(TaskCompletionSource source)
    {
        EndedByFlows.Add(source.Task, source);
        return source;
    }

    /// <summary>Before an await looks whether it must wait. In a flow it does not: by then the flow has waited, and other flows have run.</summary>
    public static void Await(object awaiter)
    {
        if (Flow.Current is not { } flow)
        {
            return;
        }

        if (TaskOf(awaiter) is { } task)
        {
            Wait(task, flow);
        }
        else if (!IsCompleted(awaiter))
        {
            // Of a value task: something outside, such as the network.
            using var completed = new ManualResetEventSlim();
            ((ICriticalNotifyCompletion)awaiter).UnsafeOnCompleted(completed.Set);
            completed.Wait();
        }
    }

    /// <summary>In place of <see cref="Task.Wait(CancellationToken)"/>.</summary>
    public static void Wait(Task task, CancellationToken cancellationToken)
    {
        if (Flow.Current is { } flow)
        {
            Wait(task, flow);
        }

        task.Wait(cancellationToken);
    }

    /// <summary>In place of <see cref="CancellationToken.UnsafeRegister(Action{object?, CancellationToken}, object?)"/>.</summary>
    public static CancellationTokenRegistration Register(ref CancellationToken token, Action<object?, CancellationToken> act, object? state)
    {
        Reach("CancellationToken.Register");
        var callback = new Callback();
        var registration = token.UnsafeRegister((given, cancelled) => callback.Run(() => act(given, cancelled)), state);
        Remember(registration, callback);
        return registration;
    }

    /// <summary>In place of <see cref="CancellationToken.UnsafeRegister(Action{object?}, object?)"/>.</summary>
    public static CancellationTokenRegistration RegisterSimple(ref CancellationToken token, Action<object?> act, object? state)
        => Register(ref token, (given, _) => act(given), state);

    /// <summary>In place of <see cref="CancellationTokenRegistration.Dispose"/>, which waits for a callback that runs.</summary>
    public static void DisposeRegistration(ref CancellationTokenRegistration registration)
    {
        if (Flow.Current is { } flow && !registration.Unregister() && NodeOf(registration) is { } node && Callbacks.TryGetValue(node, out var callback) && callback.Registration == registration)
        {
            flow.WaitUntil(() => callback.Runner is null || callback.Runner == flow, "CancellationTokenRegistration.Dispose");
        }

        registration.Dispose();
    }

    private static void Wait(Task task, Flow flow)
    {
        if (EndedByFlows.TryGetValue(task, out _))
        {
            flow.WaitUntil(() => task.IsCompleted, "await");
        }
        else
        {
            ((IAsyncResult)task).AsyncWaitHandle.WaitOne(); // For something outside, such as the network; what it throws, the await throws.
        }
    }

    private static Task? TaskOf(object awaiter)
        => TaskFields.GetOrAdd(awaiter.GetType(), type => type.GetField("m_task", BindingFlags.Instance | BindingFlags.NonPublic))?.GetValue(awaiter) as Task;

    private static bool IsCompleted(object awaiter) => (bool)awaiter.GetType().GetProperty("IsCompleted")!.GetValue(awaiter)!;

    private static void Remember(CancellationTokenRegistration registration, Callback callback)
    {
        if (NodeOf(registration) is { } node)
        {
            callback.Registration = registration; // A node may serve another one later.
            Callbacks.AddOrUpdate(node, callback);
        }
    }

    private static object? NodeOf(object registration)
        => typeof(CancellationTokenRegistration).GetField("_node", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(registration);

    private sealed class Callback
    {
        public CancellationTokenRegistration Registration { get; set; }

        public Flow? Runner { get; private set; } // used by one flow at a time

        public void Run(Action act)
        {
            Runner = Flow.Current;
            try
            {
                act();
            }
            finally
            {
                Runner = null;
            }
        }
    }
}
