namespace EfPooling.Interleavings;

/// <summary>Flows that start together on one fresh state, and what must hold for it.</summary>
public sealed class Scenario
{
    private readonly List<(string Name, Action Act)> _flows = [];

    /// <summary>Checked before each step of any flow, while none runs. Throws what is wrong.</summary>
    public Action? Always { get; set; }

    /// <summary>Checked after all flows have ended. Throws what is wrong.</summary>
    public Action? AtEnd { get; set; }

    internal IReadOnlyList<(string Name, Action Act)> Flows => _flows;

    /// <summary>Adds a flow. Whatever it throws is a failure of the scenario. Awaits block it, so asynchronous calls end before they return.</summary>
    public Scenario Flow(string name, Action act)
    {
        _flows.Add((name, act));
        return this;
    }

    /// <summary>Sets <see cref="AtEnd"/>.</summary>
    public Scenario AtLast(Action check)
    {
        AtEnd = check;
        return this;
    }
}
