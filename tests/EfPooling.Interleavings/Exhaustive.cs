namespace EfPooling.Interleavings;

/// <summary>All interleavings, one per run, in which flows are interrupted no more than a number of times.</summary>
internal sealed class Exhaustive(int maxInterruptions) : IChooser
{
    private readonly List<(int Count, int Chosen)> _choices = [];
    private int _depth;
    private int _interruptions;

    public int Choose(int count, bool canStay)
    {
        var options = canStay && _interruptions == maxInterruptions ? 1 : count;
        if (_depth == _choices.Count)
        {
            _choices.Add((options, 0));
        }
        else if (_choices[_depth].Count != options)
        {
            throw new InvalidOperationException($"The scenario is not deterministic: choice {_depth} was among {_choices[_depth].Count} flows, and is among {options} now.");
        }

        var chosen = _choices[_depth++].Chosen;
        if (canStay && chosen > 0)
        {
            _interruptions++;
        }

        return chosen;
    }

    /// <returns>Whether there is another interleaving.</returns>
    public bool Next()
    {
        (_depth, _interruptions) = (0, 0);
        while (_choices.Count > 0)
        {
            var (count, chosen) = _choices[^1];
            _choices.RemoveAt(_choices.Count - 1);
            if (chosen + 1 < count)
            {
                _choices.Add((count, chosen + 1));
                return true;
            }
        }

        return false;
    }
}
