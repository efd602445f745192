namespace EfPooling.AdoNet.Sql;

/// <summary>
/// What the statements of one text, or of one transaction, have made in their session and not ended. Pure; one user.
/// </summary>
internal sealed class SessionLedger
{
    private readonly HashSet<(SessionThing Thing, string Name)> _open = [];
    private readonly HashSet<(SessionThing Thing, string Name)> _ended = [];
    private HashSet<(SessionThing Thing, string Name)> _before = []; // open when the transaction began

    /// <summary>Whether everything that was made has been ended.</summary>
    public bool IsBalanced => _open.Count == 0;

    /// <summary>Records the steps of a text.</summary>
    /// <returns>False: their result is unknown, and the ledger is unchanged.</returns>
    public bool TryAdd(List<SessionStep> steps)
    {
        var (open, ended) = (_open.ToArray(), _ended.ToArray());
        if (steps.TrueForAll(TryAdd))
        {
            return true;
        }

        _open.Clear();
        _open.UnionWith(open);
        _ended.Clear();
        _ended.UnionWith(ended);
        return false;
    }

    /// <summary>A savepoint was rolled back to. Things that were ended after it may exist again; which ones is unknown.</summary>
    public void OnRolledBackToSavepoint()
    {
        _open.UnionWith(_ended);
        _ended.Clear();
    }

    private bool TryAdd(SessionStep step)
    {
        var thing = (step.Thing, step.Name);
        switch (step.Kind)
        {
            case SessionStepKind.Make:
                _before = step.Thing == SessionThing.Transaction ? [.. _open] : _before;
                return _open.Add(thing);
            case SessionStepKind.Use:
                return step.Name.Length > 0 ? _open.Contains(thing) : _open.Any(other => other.Thing == step.Thing);
            case SessionStepKind.End:
                return End(thing);
            case SessionStepKind.EndIfThere:
                End(thing);
                return true;
            case SessionStepKind.EndAll:
                var all = _open.Where(other => other.Thing == step.Thing).ToList();
                return all.Count > 0 && all.TrueForAll(End);
            case SessionStepKind.RollBack:
                return RollBack(thing);
            default:
                return false;
        }
    }

    private bool End((SessionThing Thing, string Name) thing)
    {
        if (!_open.Remove(thing))
        {
            return false;
        }

        _ended.Add(thing);
        return true;
    }

    // Things ended in the transaction exist again, so nothing is certain.
    private bool RollBack((SessionThing Thing, string Name) transaction)
    {
        if (_ended.Any(IsUndone) || !_open.Remove(transaction))
        {
            return false;
        }

        _open.RemoveWhere(thing => IsUndone(thing) && !_before.Contains(thing));
        return true;
    }

    private static bool IsUndone((SessionThing Thing, string Name) thing) => thing.Thing is SessionThing.TemporaryTable or SessionThing.Channel;
}
