namespace EfPooling.Architecture.Flows;

/// <summary>Which types a flow passes, one call after the other. The rewritten assemblies call it at the start of each method.</summary>
public static class FlowRecorder
{
    private static readonly Lock Gate = new();
    private static readonly HashSet<string> Types = []; // guarded by Gate, as the next two
    private static string? _last;
    private static int _changes;
    private static volatile bool _isOn;

    /// <param name="type">The method's type; of a nested one, the outermost.</param>
    public static void Enter(string type)
    {
        if (!_isOn)
        {
            return;
        }

        lock (Gate)
        {
            Types.Add(type);
            _changes += type == _last ? 0 : 1;
            _last = type;
        }
    }

    /// <returns>Types that were passed, and how often the type changed.</returns>
    public static async Task<(int Types, int Changes)> RecordAsync(Func<Task> flow)
    {
        (_last, _changes) = (null, 0);
        Types.Clear();
        _isOn = true;
        await flow();
        _isOn = false;
        return (Types.Count, _changes);
    }
}
