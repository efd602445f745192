namespace EfPooling.Interleavings;

/// <summary>One of the flows of a scenario, on a thread of its own. Of all flows of a run one moves at a time.</summary>
internal sealed class Flow(Run run, string name, Action act) : IDisposable
{
    private static readonly AsyncLocal<string?> Name = new();

    [ThreadStatic]
    private static Flow? _current;

    private readonly SemaphoreSlim _go = new(0);
    private readonly Stack<object> _held = new(); // used while it moves
    private Func<bool>? _condition; // null: nothing keeps it from moving

    /// <summary>The one that this thread runs; <c>null</c> if it runs none.</summary>
    public static Flow? Current => _current;

    public bool SeesPlainAccesses => run.SeesPlainAccesses;

    /// <summary>What it did last.</summary>
    public string Place { get; private set; } = "start";

    public bool HasEnded { get; private set; }

    public bool CanMove => !HasEnded && (_condition is null || _condition());

    public override string ToString() => name;

    public void Dispose() => _go.Dispose();

    /// <summary>The body of its thread.</summary>
    public void Execute()
    {
        _go.Wait();
        _current = this;
        try
        {
            Name.Value = name; // An execution context of its own, as a flow of an application has.
            act();
        }
        catch (AbandonedException)
        {
            // The run has failed elsewhere.
        }
        catch (Exception e)
        {
            run.Fail(e);
        }
        finally
        {
            _current = null;
            HasEnded = true;
            run.PassOn(this);
        }
    }

    /// <summary>It is its turn.</summary>
    public void Go() => _go.Release();

    /// <summary>It is about to take a step, before which others may take theirs.</summary>
    public void Reach(string place)
    {
        Place = place;
        if (!run.HasFailed && !run.IsMovingOn)
        {
            Pause();
        }
    }

    /// <summary>It goes on when the condition holds.</summary>
    public void WaitUntil(Func<bool> condition, string place)
    {
        Reach(place);
        if (condition())
        {
            return;
        }

        if (run.HasFailed)
        {
            throw new AbandonedException();
        }

        _condition = condition;
        Pause();
        _condition = null;
        if (!condition())
        {
            throw new AbandonedException(); // Woken only to end.
        }
    }

    public void Enter(object gate)
    {
        WaitUntil(() => !run.IsHeldByOthers(gate, this), "lock");
        _held.Push(gate);
    }

    public void Exit() => _held.TryPop(out _);

    public bool Holds(object gate) => _held.Contains(gate);

    private void Pause()
    {
        if (run.PassOn(this))
        {
            _go.Wait();
        }
    }

    /// <summary>Ends a flow of a run that has failed.</summary>
    private sealed class AbandonedException : Exception;
}
