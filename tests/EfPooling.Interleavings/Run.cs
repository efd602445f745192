namespace EfPooling.Interleavings;

/// <summary>One interleaving of a scenario. Used by the flow that moves.</summary>
internal sealed class Run : IDisposable
{
    private const int MaxSteps = 20_000;

    private readonly Scenario _scenario;
    private readonly IChooser _chooser;
    private readonly Flow[] _flows;
    private readonly List<(Flow Flow, string Place)> _steps = [];
    private readonly List<int> _choices = [];
    private readonly SemaphoreSlim _ended = new(0);
    private Exception? _failure;

    public Run(Scenario scenario, IChooser chooser, bool seesPlainAccesses)
    {
        (_scenario, _chooser, SeesPlainAccesses) = (scenario, chooser, seesPlainAccesses);
        _flows = [.. scenario.Flows.Select(flow => new Flow(this, flow.Name, flow.Act))];
    }

    public bool SeesPlainAccesses { get; }

    public bool HasFailed => _failure is not null;

    /// <summary>A condition or check is evaluated; the points inside it are no steps.</summary>
    public bool IsMovingOn { get; private set; }

    /// <exception cref="InterleavingException">The scenario failed.</exception>
    public void Execute(FlowThreads threads)
    {
        foreach (var flow in _flows)
        {
            threads.Start(flow.Execute);
        }

        PassOn(null);
        _ended.Wait();
        threads.WaitUntilIdle();
        if (_failure is null)
        {
            Check(_scenario.AtEnd);
        }

        if (_failure is not null)
        {
            var steps = string.Join('\n', _steps.Select(step => $"  {step.Flow}: {step.Place}"));
            var choices = string.Join(',', _choices);
            throw new InterleavingException($"{_failure.Message}\nchoices: {choices}\n{steps}", choices, _failure);
        }
    }

    public void Dispose()
    {
        Array.ForEach(_flows, flow => flow.Dispose());
        _ended.Dispose();
    }

    public void Fail(Exception error) => _failure ??= error;

    public bool IsHeldByOthers(object gate, Flow flow) => _flows.Any(other => other != flow && other.Holds(gate));

    /// <summary>Lets the next flow move.</summary>
    /// <param name="from">The one that moved, which stands now or has ended.</param>
    /// <returns>Whether that is another one, so that the caller must wait.</returns>
    public bool PassOn(Flow? from)
    {
        var next = Next(from);
        if (next is null)
        {
            _ended.Release();
            return false;
        }

        if (next == from)
        {
            return false;
        }

        next.Go();
        return true;
    }

    private Flow? Next(Flow? from)
    {
        IsMovingOn = true;
        try
        {
            if (from is not null)
            {
                _steps.Add((from, from.HasEnded ? "end" : from.Place));
            }

            if (_failure is null)
            {
                Check(_scenario.Always);
                if (_steps.Count > MaxSteps)
                {
                    Fail(new InvalidOperationException($"No end after {MaxSteps} steps."));
                }
            }

            if (_failure is not null)
            {
                return _flows.FirstOrDefault(flow => !flow.HasEnded);
            }

            var able = _flows.Where(flow => flow.CanMove).OrderBy(flow => flow == from ? 0 : 1).ToArray();
            if (able.Length == 0)
            {
                if (Array.TrueForAll(_flows, flow => flow.HasEnded))
                {
                    return null;
                }

                Fail(new InvalidOperationException($"Nobody can move: {string.Join("; ", _flows.Where(flow => !flow.HasEnded).Select(flow => $"{flow} at {flow.Place}"))}"));
                return _flows.First(flow => !flow.HasEnded);
            }

            if (able.Length == 1)
            {
                return able[0];
            }

            var choice = _chooser.Choose(able.Length, canStay: able[0] == from);
            _choices.Add(choice);
            return able[choice];
        }
        catch (Exception e)
        {
            Fail(e); // Of the chooser, or of a condition.
            return _flows.FirstOrDefault(flow => !flow.HasEnded);
        }
        finally
        {
            IsMovingOn = false;
        }
    }

    private void Check(Action? check)
    {
        try
        {
            check?.Invoke();
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }
}
