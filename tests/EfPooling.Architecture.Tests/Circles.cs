namespace EfPooling.Architecture.Tests;

/// <summary>Files that use each other in circles: the strongly connected components of the graph of files, after Tarjan.</summary>
internal sealed class Circles
{
    private readonly ILookup<string, string> _targets;
    private readonly Dictionary<string, int> _index = [];
    private readonly Dictionary<string, int> _low = [];
    private readonly HashSet<string> _onStack = [];
    private readonly Stack<string> _stack = [];
    private readonly List<IReadOnlyList<string>> _found = [];

    private Circles(IEnumerable<FileUse> uses) => _targets = uses.Select(use => (use.File, use.Target)).Distinct().ToLookup(use => use.File, use => use.Target);

    /// <summary>Every circle of two files or more, the largest first.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Of(SourceModel model)
    {
        var circles = new Circles(model.Uses);
        foreach (var file in model.Files.Where(file => !circles._index.ContainsKey(file)))
        {
            circles.Visit(file);
        }

        return [.. circles._found.OrderByDescending(circle => circle.Count)];
    }

    private void Visit(string file)
    {
        _index[file] = _low[file] = _index.Count;
        _stack.Push(file);
        _onStack.Add(file);
        foreach (var target in _targets[file])
        {
            if (!_index.TryGetValue(target, out var index))
            {
                Visit(target);
                _low[file] = Math.Min(_low[file], _low[target]);
            }
            else if (_onStack.Contains(target))
            {
                _low[file] = Math.Min(_low[file], index);
            }
        }

        if (_low[file] != _index[file])
        {
            return;
        }

        var circle = new List<string>();
        string member;
        do
        {
            member = _stack.Pop();
            _onStack.Remove(member);
            circle.Add(member);
        }
        while (member != file);

        if (circle.Count > 1)
        {
            circle.Sort(StringComparer.Ordinal);
            _found.Add(circle);
        }
    }
}
